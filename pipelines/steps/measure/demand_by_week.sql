-- Grain: one row a topic (level 'topic_id') or subtopic ('subtopic_id') and week of history and window; the weeks in
--   which nobody asked for it are there too.
-- Inputs: facts (measure/facts), topics and subtopics (understand/…).
WITH asked AS (
    SELECT week, topic_id, subtopic_id, failed FROM facts
),

counted AS (
    SELECT level, id, week, COUNT(*) AS conversations, FSUM(failed) AS failed
    FROM asked UNPIVOT (id FOR level IN (topic_id, subtopic_id))
    GROUP BY level, id, week
),

names AS (
    SELECT 'topic_id' AS level, topic_id AS id FROM topics
    UNION ALL
    SELECT 'subtopic_id', subtopic_id FROM subtopics
),

weeks AS (
    SELECT week, COUNT(*) AS everybody FROM facts GROUP BY week
)

SELECT
    level,
    id,
    week,
    everybody,
    COALESCE(conversations, 0) AS conversations,
    COALESCE(failed, 0) AS failed
FROM names
CROSS JOIN weeks
LEFT JOIN counted USING (level, id, week)
ORDER BY level, id, week
