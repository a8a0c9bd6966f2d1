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
    "cepstra", "", "folder of one version, such as abfss://cepstra@ACCOUNT.dfs.core.windows.net/frames/VERSION"
)
dbutils.widgets.text("database", "", "schema with the tables of the database, such as mfcc_database.dbo; empty: none")
schema, cepstra, database = (dbutils.widgets.get(name) for name in ("schema", "cepstra", "database"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Cepstra
# MAGIC
# MAGIC The files of a version of the features, one for each audio, are an external table. The view `cepstra` over it is
# MAGIC what everyone reads. Each row has the id of its audio, which is the name of the file, the number of its frame,
# MAGIC and the coefficients COE_1 to COE_13.

# COMMAND ----------

coefficients = [f"COE_{number}" for number in range(1, 14)]
version = cepstra.rstrip("/").rpartition("/")[2].rpartition("=")[2]
files = f"{schema}.cepstra_files_{version}"

spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
spark.sql(
    f"CREATE TABLE IF NOT EXISTS {files} ({', '.join(f'{name} FLOAT' for name in coefficients)}) "
    f"USING PARQUET LOCATION '{cepstra}'"
)
spark.sql(
    f"CREATE OR REPLACE VIEW {schema}.cepstra AS SELECT substring_index(_metadata.file_name, '.', 1) AS audio_id, "
    f"CAST(_metadata.row_index AS INT) AS frame, {', '.join(coefficients)}, '{version}' AS features_version "
    f"FROM {files}"
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Soundtracks and recommendations
# MAGIC
# MAGIC They are read from the database of the library by Lakehouse Federation. Nobody can change them here.

# COMMAND ----------

for name in ("SOUNDTRACKS", "RECOMMENDATIONS", "RECOMMENDED_SOUNDTRACKS") if database else ():
    spark.sql(f"CREATE OR REPLACE VIEW {schema}.{name.lower()} AS SELECT * FROM {database}.{name}")
