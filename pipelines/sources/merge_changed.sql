-- Grain: one row a conversation of which something changes: the batch that holds its newest version, the month of its
-- file, the month of the file that holds it now, and whether it no longer exists.
-- Inputs: staged, gone and present.
WITH newest AS (
    SELECT
        conversation_id,
        ARG_MAX(batch, (COALESCE(updated_at, '-infinity'::TIMESTAMPTZ), batch)) AS batch,
        ARG_MAX(started_at, (COALESCE(updated_at, '-infinity'::TIMESTAMPTZ), batch)) AS started_at,
        MAX(updated_at) AS updated_at,
        MAX(batch) AS last_batch
    FROM staged
    GROUP BY conversation_id
),

deleted AS (
    SELECT conversation_id, MAX(batch) AS batch FROM gone GROUP BY conversation_id
),

there AS (
    SELECT conversation_id, MAX(updated_at) AS updated_at, MAX(started_at) AS started_at
    FROM present
    GROUP BY conversation_id
)

SELECT
    conversation_id,
    newest.batch,
    COALESCE(STRFTIME(MAKE_TIMESTAMP(EPOCH_US(newest.started_at)), '%Y-%m'), 'undated') AS month,
    STRFTIME(MAKE_TIMESTAMP(EPOCH_US(there.started_at)), '%Y-%m') AS old_month,
    COALESCE(deleted.batch > COALESCE(newest.last_batch, -1), FALSE) AS is_gone
FROM newest
FULL JOIN deleted USING (conversation_id)
LEFT JOIN there USING (conversation_id)
WHERE is_gone OR there.updated_at IS NULL OR newest.updated_at >= there.updated_at
ORDER BY conversation_id
