-- Grain: one row a topic (level 'topic_id') or subtopic ('subtopic_id'), those that nobody asked for included.
-- Inputs: facts (measure/facts), assignments, topics and subtopics (understand/…).
WITH inside AS (
    SELECT conversation_id, topic_id, subtopic_id, failed FROM facts WHERE in_window
),

reached AS (
    SELECT level, id, COUNT(*) AS reached, FSUM(failed) AS failed
    FROM inside UNPIVOT (id FOR level IN (topic_id, subtopic_id))
    GROUP BY level, id
),

-- What else is brought up in a conversation, after the question that it is about.
further AS (
    SELECT topic_id, subtopic_id
    FROM assignments SEMI JOIN inside USING (conversation_id)
    WHERE question_number <> 1
),

also AS (
    SELECT level, id, COUNT(*) AS also
    FROM further UNPIVOT (id FOR level IN (topic_id, subtopic_id))
    GROUP BY level, id
),

names AS (
    SELECT 'topic_id' AS level, topic_id AS id FROM topics
    UNION ALL
    SELECT 'subtopic_id', subtopic_id FROM subtopics
)

SELECT
    level,
    id,
    COALESCE(reached, 0) AS reached,
    COALESCE(failed, 0) AS failed,
    COALESCE(also, 0) AS also
FROM names
LEFT JOIN reached USING (level, id)
LEFT JOIN also USING (level, id)
ORDER BY level, id
