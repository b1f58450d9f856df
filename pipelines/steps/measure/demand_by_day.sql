-- Grain: one row a topic (level 'topic_id') or subtopic ('subtopic_id') and day of the last $days that the facts hold;
--   the days on which nobody asked for it are there too.
-- Inputs: facts (measure/facts), topics and subtopics (understand/…).
WITH asked AS (
    SELECT CAST(started_at AT TIME ZONE 'UTC' AS DATE) AS day, topic_id, subtopic_id FROM facts
),

counted AS (
    SELECT level, id, day, COUNT(*) AS conversations
    FROM asked UNPIVOT (id FOR level IN (topic_id, subtopic_id))
    GROUP BY level, id, day
),

names AS (
    SELECT 'topic_id' AS level, topic_id AS id FROM topics
    UNION ALL
    SELECT 'subtopic_id', subtopic_id FROM subtopics
),

ends AS (
    SELECT MAX(day) AS last, GREATEST(MIN(day), MAX(day) - ($days - 1)) AS first FROM asked
),

days AS (
    SELECT CAST(UNNEST(GENERATE_SERIES(first, last, INTERVAL 1 DAY)) AS DATE) AS day FROM ends
)

SELECT level, id, day, COALESCE(conversations, 0) AS conversations
FROM names
CROSS JOIN days
LEFT JOIN counted USING (level, id, day)
ORDER BY level, id, day
