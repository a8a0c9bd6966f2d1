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
    "cepstra", "", "address of the folder frames, such as abfss://cepstra@ACCOUNT.dfs.core.windows.net/frames"
)
dbutils.widgets.text("database", "", "schema with the tables of the database, such as mfcc_database.dbo; empty: none")
schema, cepstra, database = (dbutils.widgets.get(name) for name in ("schema", "cepstra", "database"))

# COMMAND ----------

# MAGIC %md
# MAGIC ## Cepstra
# MAGIC
# MAGIC `cepstra_files` is an external table over the files, one for each audio, in a folder for each version of the
# MAGIC features. Where a Hive metastore is, it must be told of the folders. Unity Catalog finds them. The view
# MAGIC `cepstra` is what everyone reads. Each row has the id of its audio, the number of its frame, and the
# MAGIC coefficients COE_1 to COE_13.

# COMMAND ----------

coefficients = [f"COE_{number}" for number in range(1, 14)]
columns = ", ".join(
    ["audio_id STRING", "frame INT", *(f"{name} FLOAT" for name in coefficients), "features_version STRING"]
)

spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
spark.sql(
    f"CREATE TABLE IF NOT EXISTS {schema}.cepstra_files ({columns}) "
    f"USING PARQUET PARTITIONED BY (features_version) LOCATION '{cepstra}'"
)
if spark.conf.get("spark.databricks.unityCatalog.enabled", "false") != "true":
    spark.sql(f"MSCK REPAIR TABLE {schema}.cepstra_files")
spark.sql(
    f"CREATE OR REPLACE VIEW {schema}.cepstra AS "
    f"SELECT audio_id, frame, {', '.join(coefficients)}, features_version FROM {schema}.cepstra_files"
)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Soundtracks and recommendations
# MAGIC
# MAGIC They are read from the database of the library by Lakehouse Federation. Nobody can change them here.

# COMMAND ----------

for name in ("SOUNDTRACKS", "RECOMMENDATIONS", "RECOMMENDED_SOUNDTRACKS") if database else ():
    spark.sql(f"CREATE OR REPLACE VIEW {schema}.{name.lower()} AS SELECT * FROM {database}.{name}")
