-- Grain: the rows of one table that go with the conversations of a month: those of changed conversations as staged, all
-- others as they are.
-- Inputs: changed, staged and present.
SELECT {columns} FROM present WHERE conversation_id NOT IN (SELECT changed.conversation_id FROM changed)
UNION ALL BY NAME
SELECT {columns}
FROM staged
WHERE (conversation_id, batch) IN (
    SELECT (changed.conversation_id, changed.batch) FROM changed WHERE changed.month = '{month}' AND NOT changed.is_gone
)
ORDER BY {order}
