-- Grain: one row a conversation that any file names: what was stated of it, the newest value of each column, and what
-- its messages show.
-- Inputs: conversations, messages and outcomes, as they were spooled.
WITH stated AS (
    SELECT
        conversation_id,
        MIN(started_at) AS started_at,
        BOOL_OR(escalated) AS escalated,
        {columns},
        TRUE AS is_stated
    FROM conversations
    GROUP BY conversation_id
),

shown AS (
    SELECT
        conversation_id,
        MIN(sent_at) AS first_at,
        MIN(sent_at) FILTER (WHERE role = 'agent') AS agent_at,
        BOOL_OR(role = 'agent') AS has_agent
    FROM messages
    GROUP BY conversation_id
),

tagged AS (
    SELECT DISTINCT conversation_id FROM outcomes
)

SELECT stated.* EXCLUDE (conversation_id), shown.* EXCLUDE (conversation_id), conversation_id
FROM stated
FULL JOIN shown USING (conversation_id)
FULL JOIN tagged USING (conversation_id)
ORDER BY conversation_id
