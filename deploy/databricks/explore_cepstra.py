# Databricks notebook source
# MAGIC %md
# MAGIC # Cepstra and recommendations
# MAGIC
# MAGIC Queries and plots over the tables that `define_tables` made: what the coefficients of the library look like,
# MAGIC and why one track is recommended for another.

# COMMAND ----------

import matplotlib.pyplot as plt
import numpy as np

dbutils.widgets.text("schema", "", "schema of the tables, such as main.mfcc")
spark.sql(f"USE {dbutils.widgets.get('schema')}")
# The fast reader of Spark before 4.3 does not know the encoding of the coefficients, BYTE_STREAM_SPLIT.
spark.conf.set("spark.sql.parquet.enableVectorizedReader", "false")
coefficients = [f"COE_{number}" for number in range(1, 14)]

# COMMAND ----------

# MAGIC %md
# MAGIC ## The library
# MAGIC
# MAGIC Tracks, hours of audio (there are 100 frames in a second), and the mean of the second coefficient by artist.
# MAGIC The higher it is, the more the low tones outweigh the high ones.

# COMMAND ----------

library = spark.sql("SELECT count(DISTINCT audio_id) AS audio, round(count(*) / 360000, 3) AS hours FROM cepstra")
display(library)

artists = spark.sql("""
    SELECT ARTIST AS artist, count(DISTINCT audio_id) AS tracks, round(avg(COE_2), 1) AS mean_of_COE_2
    FROM cepstra JOIN soundtracks USING (audio_id)
    GROUP BY ARTIST
    ORDER BY mean_of_COE_2 DESC, artist
""")
display(artists)

# COMMAND ----------

# MAGIC %md
# MAGIC ## Distributions of the coefficients

# COMMAND ----------

quantiles = spark.sql(
    "SELECT "
    + ", ".join(f"percentile_approx({name}, array(0.05, 0.25, 0.5, 0.75, 0.95)) AS {name}" for name in coefficients)
    + " FROM cepstra"
).first()

figure, axes = plt.subplots(figsize=(9, 4))
boxes = [
    {"label": name, "whislo": low, "q1": first, "med": middle, "q3": third, "whishi": high, "fliers": []}
    for name, (low, first, middle, third, high) in zip(coefficients, quantiles, strict=True)
]
axes.bxp(boxes)
axes.set_ylabel("value in a frame")
axes.set_title("Coefficients of the library: half of the frames lie in the box, and 9 of 10 between the whiskers")
plt.show()

# COMMAND ----------

# MAGIC %md
# MAGIC ## A pair
# MAGIC
# MAGIC The track that is nearest to its first recommendation, and this recommendation: both curves of each
# MAGIC coefficient. Dynamic time warping compares these curves.

# COMMAND ----------

pair = spark.sql("""
    SELECT query.AUDIO_ID AS query_audio, query.TITLE AS query_title, query.ARTIST AS query_artist,
           other.AUDIO_ID AS other_audio, other.TITLE AS other_title, other.ARTIST AS other_artist, DISTANCE AS distance
    FROM recommendations
    JOIN soundtracks AS query ON query.TRACK_ID = QUERY_ID
    JOIN soundtracks AS other ON other.TRACK_ID = recommendations.TRACK_ID
    WHERE RANK = 1
    ORDER BY DISTANCE, QUERY_ID
    LIMIT 1
""").first()
print(
    f"{pair.query_title or pair.query_audio} by {pair.query_artist or 'unknown'}, "
    f"and {pair.other_title or pair.other_audio} by {pair.other_artist or 'unknown'}: distance {pair.distance:.3f}"
)


def cepstra_of(audio_id):
    """Return the cepstra (frames, 13) of one audio."""
    rows = spark.table("cepstra").where(f"audio_id = '{audio_id}'").orderBy("frame").select(coefficients)
    return np.array([list(row) for row in rows.collect()], np.float32)


def curve(values, points=400):
    """Return the means of consecutive values, so that a curve has a few hundred points."""
    return [part.mean() for part in np.array_split(values, min(points, len(values)))]


both = [cepstra_of(pair.query_audio), cepstra_of(pair.other_audio)]
figure, rows = plt.subplots(13, 1, figsize=(9, 18), sharex=True)
for number, axes in enumerate(rows):
    for cepstra, title in zip(both, (pair.query_title, pair.other_title), strict=True):
        seconds = np.linspace(0, len(cepstra) / 100, len(curve(cepstra[:, number])))
        axes.plot(seconds, curve(cepstra[:, number]), label=title, linewidth=0.8)
    axes.set_ylabel(coefficients[number])
rows[0].legend()
rows[-1].set_xlabel("seconds")
plt.show()
