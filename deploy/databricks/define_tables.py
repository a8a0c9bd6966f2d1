# Databricks notebook source
# MAGIC %md
# MAGIC # The tables of the music library
# MAGIC
# MAGIC This makes them in a catalog. No data is copied: the cepstra stay the files that the library wrote, and the
# MAGIC rows of the database are read from it. Run it once, and again after the parameters of the features have
# MAGIC changed.

# COMMAND ----------

dbutils.widgets.text("schema", "", "schema of the tables, such as main.mfcc")
dbutils.widgets.text(
    "cepstra", "", "folder of one version: abfss://cepstra@ACCOUNT.dfs.core.windows.net/frames/features_version=VERSION"
)
dbutils.widgets.text("database", "", "schema with the tables of the database, such as mfcc_database.dbo; empty: none")
schema, cepstra, database = (dbutils.widgets.get(name) for name in ("schema", "cepstra", "database"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Cepstra
# MAGIC
# MAGIC The files of a version of the features, one for each audio, are an external table. The view `cepstra` over it is
# MAGIC what everyone reads. Each row has the id of its audio, the number of its frame, and the coefficients COE_1 to
# MAGIC COE_13.

# COMMAND ----------

version = cepstra.rstrip("/").rpartition("=")[2]
files = f"{schema}.cepstra_files_{version}"
coefficients = ", ".join(f"COE_{number} FLOAT" for number in range(1, 14))

spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
spark.sql(
    f"CREATE TABLE IF NOT EXISTS {files} (audio_id STRING, frame INT, {coefficients}) "
    f"USING PARQUET LOCATION '{cepstra}'"
)
spark.sql(f"CREATE OR REPLACE VIEW {schema}.cepstra AS SELECT *, '{version}' AS features_version FROM {files}")

# COMMAND ----------

# MAGIC %md
# MAGIC ## Soundtracks and recommendations
# MAGIC
# MAGIC They are read from the database of the library by Lakehouse Federation. Nobody can change them here.

# COMMAND ----------

for name in ("SOUNDTRACKS", "RECOMMENDATIONS", "RECOMMENDED_SOUNDTRACKS") if database else ():
    spark.sql(f"CREATE OR REPLACE VIEW {schema}.{name.lower()} AS SELECT * FROM {database}.{name}")
