-- Grain: one row a conversation that is staged, with the month of its file; those that only other tables name are
-- undated.
-- Inputs: staged, staged_messages and staged_outcomes.
WITH named AS (
    SELECT conversation_id, started_at FROM staged
    UNION ALL
    SELECT conversation_id, NULL AS started_at FROM staged_messages
    UNION ALL
    SELECT conversation_id, NULL AS started_at FROM staged_outcomes
)

SELECT
    conversation_id,
    COALESCE(STRFTIME(MAKE_TIMESTAMP(EPOCH_US(MAX(started_at))), '%Y-%m'), 'undated') AS month
FROM named
GROUP BY conversation_id
ORDER BY conversation_id
