-- Grain: one row a spooled message, in order: by the position that a file states, else by time where every message of
-- the conversation has one, else as the files have them.
-- Inputs: messages.
WITH timed AS (
    SELECT *, BOOL_AND(sent_at IS NOT NULL) OVER (PARTITION BY conversation_id) AS all_timed FROM messages
)

SELECT * EXCLUDE (all_timed, seq)
FROM timed
ORDER BY conversation_id, position NULLS LAST, CASE WHEN all_timed THEN sent_at END, seq
