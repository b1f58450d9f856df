-- Grain: the staged rows of one table that go with the conversations of a month.
-- Inputs: changed and staged.
SELECT {columns}
FROM staged
WHERE conversation_id IN (SELECT changed.conversation_id FROM changed WHERE changed.month = '{month}')
ORDER BY {order}
