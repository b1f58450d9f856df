-- Grain: one row a conversation, message, outcome, article, revision, owner, name, or id that is gone; see each table.
-- Inputs: the schema vendor, with rows of the tables that fivetran_zendesk.toml names, of the ids in vendor.asked.
--
-- Fivetran's Zendesk Support tables as rows of the contract. Run anew for each page of ids. All ids are text, all times UTC
-- without a zone. Settings are variables: lists of lower-case words, or texts that may be empty. Makes the tables owners,
-- articles, article_revisions, conversations, messages, outcomes, names and gone.

-- Who answers for articles: agents and administrators. One row a user.
CREATE OR REPLACE TEMP TABLE owners AS
SELECT
    staff.id AS owner_id,
    staff.name,
    staff.email,
    groups.name AS team,
    staff.active AND NOT COALESCE(staff.suspended, FALSE) AND NOT COALESCE(staff._fivetran_deleted, FALSE) AS active
FROM vendor.staff
LEFT JOIN vendor."group" AS groups ON staff.default_group_id = groups.id
QUALIFY ROW_NUMBER() OVER (PARTITION BY staff.id ORDER BY staff.updated_at DESC NULLS LAST) = 1
ORDER BY owner_id;

-- The help centre, each article in its source language. Votes are known as their number and their sum.
CREATE OR REPLACE TEMP TABLE articles AS
SELECT
    id AS article_id,
    title,
    COALESCE(body, '') AS body,
    CASE WHEN draft THEN 'draft' ELSE 'published' END AS status,
    html_url AS url,
    locale AS language,
    author_id AS owner_id,
    created_at,
    COALESCE(edited_at, updated_at) AS updated_at,
    (vote_count + vote_sum) // 2 AS helpful,
    (vote_count - vote_sum) // 2 AS unhelpful
FROM vendor.article
WHERE NOT COALESCE(_fivetran_deleted, FALSE)
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS LAST) = 1
ORDER BY article_id;

-- One row an edit that a pull saw: Fivetran keeps an article's latest edit only.
CREATE OR REPLACE TEMP TABLE article_revisions AS
SELECT
    id AS article_id,
    COALESCE(edited_at, created_at) AS revised_at,
    author_id,
    NOT draft AS approved
FROM vendor.edited
WHERE NOT COALESCE(_fivetran_deleted, FALSE) AND COALESCE(edited_at, created_at) IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY article_id, revised_at ORDER BY _fivetran_synced DESC) = 1
ORDER BY article_id, revised_at;

-- Tickets that another one took up. Zendesk marks them with a tag; the other one has their ids, as JSON.
CREATE OR REPLACE TEMP TABLE merged AS
SELECT UNNEST(REGEXP_EXTRACT_ALL(merged_ticket_ids, '\d+')) AS id FROM vendor.merging
UNION
SELECT UNNEST(REGEXP_EXTRACT_ALL(merged_ticket_ids, '\d+')) AS id FROM vendor.ticket
UNION
SELECT ticket_id AS id FROM vendor.ticket_tag WHERE tag = 'closed_by_merge' AND NOT COALESCE(_fivetran_deleted, FALSE);

-- Tickets as they are now: a loader may write a row twice.
CREATE OR REPLACE TEMP TABLE tickets AS
WITH newest AS (
    SELECT *
    FROM vendor.ticket
    QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY _fivetran_synced DESC, updated_at DESC NULLS LAST) = 1
)

SELECT *
FROM newest
WHERE
    NOT COALESCE(_fivetran_deleted, FALSE)
    AND COALESCE(status, '') <> 'deleted'
    AND id NOT IN (SELECT merged.id FROM merged)
    AND created_at IS NOT NULL;

-- What was asked for and is no longer there.
CREATE OR REPLACE TEMP TABLE gone AS
SELECT id AS conversation_id FROM vendor.asked WHERE id NOT IN (SELECT tickets.id FROM tickets) ORDER BY id;

CREATE OR REPLACE TEMP TABLE users AS
SELECT
    *,
    LIST_HAS_ANY(GETVARIABLE('bot_authors'), [id, LOWER(name), LOWER(email)]) OR id = '-1' AS is_bot
FROM vendor."user"
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS LAST) = 1;

CREATE OR REPLACE TEMP TABLE tags AS
SELECT DISTINCT ticket_id, tag FROM vendor.ticket_tag WHERE NOT COALESCE(_fivetran_deleted, FALSE) AND tag <> '';

-- Chats and messaging, where they are synced event by event.
CREATE OR REPLACE TEMP TABLE chat_messages AS
SELECT
    chat.ticket_id,
    event.message AS text,
    event.created_at AS sent_at,
    COALESCE(event.chat_index, 0) AS place,
    COALESCE(event.message_id, CAST(event.created_at AS VARCHAR)) AS id,
    CASE
        WHEN event.actor_id IN ('system', 'trigger') OR event.actor_id LIKE 'trigger:%' THEN 'bot'
        WHEN event.original_message LIKE '%zd:answerBot%' THEN 'bot'
        WHEN LIST_CONTAINS(GETVARIABLE('bot_authors'), REPLACE(event.actor_id, 'agent:', '')) THEN 'bot'
        WHEN event.actor_id LIKE 'agent:%' THEN 'agent'
        ELSE 'customer'
    END AS role
FROM vendor.ticket_chat_event AS event
INNER JOIN vendor.ticket_chat AS chat ON event.chat_id = chat.chat_id
WHERE
    TRIM(event.message) <> ''
    AND COALESCE(event.type, 'ChatMessage') = 'ChatMessage'
    AND NOT COALESCE(event.is_history_context, FALSE)
QUALIFY ROW_NUMBER() OVER (PARTITION BY chat.ticket_id, id ORDER BY event.created_at) = 1;

-- Public comments. An internal note is none, and neither is one of which nobody knows. A comment that repeats a chat as
-- one text is left out where the chat's own messages are there.
CREATE OR REPLACE TEMP TABLE comments AS
WITH newest AS (
    SELECT *
    FROM vendor.ticket_comment
    QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY _fivetran_synced DESC) = 1
)

SELECT
    newest.ticket_id,
    COALESCE(NULLIF(newest.plain_body, ''), newest.body) AS text,
    newest.created AS sent_at,
    0 AS place,
    newest.id,
    CASE
        WHEN users.is_bot OR newest.user_id = '-1' OR newest.via_channel LIKE 'answer_bot%' THEN 'bot'
        WHEN LIST_CONTAINS(GETVARIABLE('bot_authors'), newest.user_id) THEN 'bot'
        WHEN newest.user_id = tickets.requester_id THEN 'customer'
        WHEN users.role IN ('agent', 'admin') OR newest.user_id = tickets.assignee_id THEN 'agent'
        ELSE 'customer'
    END AS role
FROM newest
INNER JOIN tickets ON newest.ticket_id = tickets.id
LEFT JOIN users ON newest.user_id = users.id
WHERE
    newest.public
    AND NOT COALESCE(newest._fivetran_deleted, FALSE)
    AND TRIM(COALESCE(NULLIF(newest.plain_body, ''), newest.body)) <> ''
    AND NOT (
        COALESCE(newest.via_channel, '') = 'chat_transcript'
        AND newest.ticket_id IN (SELECT chat_messages.ticket_id FROM chat_messages)
    );

-- What was said. A ticket without any comment was opened with its description.
CREATE OR REPLACE TEMP TABLE said AS
SELECT * FROM comments
UNION ALL BY NAME
SELECT * FROM chat_messages WHERE ticket_id IN (SELECT tickets.id FROM tickets)
UNION ALL BY NAME
SELECT
    id AS ticket_id,
    description AS text,
    created_at AS sent_at,
    0 AS place,
    id,
    'customer' AS role
FROM tickets
WHERE
    TRIM(description) <> ''
    AND COALESCE(is_public, TRUE)
    AND id NOT IN (SELECT ticket_comment.ticket_id FROM vendor.ticket_comment WHERE ticket_comment.ticket_id IS NOT NULL)
    AND id NOT IN (SELECT chat_messages.ticket_id FROM chat_messages);

-- Articles that a text of the bot links to: by address, or by the id that stands in it.
CREATE OR REPLACE TEMP TABLE cited AS
WITH links AS (
    SELECT
        id,
        UNNEST(REGEXP_EXTRACT_ALL(text, 'https?://[^\s<>"''\])]+')) AS link
    FROM said
    WHERE role = 'bot'
),

addresses AS (
    SELECT
        id,
        link,
        REGEXP_EXTRACT(link, '/hc/(?:[a-zA-Z-]+/)?articles/(\d+)', 1) AS number,
        RTRIM(REGEXP_REPLACE(link, '[?#].*$', ''), '/.,;:!') AS address
    FROM links
    WHERE STARTS_WITH(link, GETVARIABLE('help_center'))
)

SELECT
    addresses.id,
    LIST(DISTINCT COALESCE(by_address.id, NULLIF(addresses.number, '')) ORDER BY 1) AS article_ids
FROM addresses
LEFT JOIN vendor.article_link AS by_address ON addresses.address = RTRIM(by_address.html_url, '/')
WHERE by_address.id IS NOT NULL OR addresses.number <> ''
GROUP BY addresses.id;

CREATE OR REPLACE TEMP TABLE messages AS
SELECT
    said.ticket_id AS conversation_id,
    said.role,
    said.text,
    said.sent_at,
    cited.article_ids
FROM said
LEFT JOIN cited ON said.id = cited.id AND said.role = 'bot'
ORDER BY said.ticket_id, said.sent_at NULLS FIRST, said.place, TRY_CAST(said.id AS BIGINT), said.id;

-- Ratings: of a survey from 1 to what the setting says, else good or bad.
CREATE OR REPLACE TEMP TABLE rated AS
WITH surveys AS (
    SELECT
        survey.ticket_id,
        ARG_MAX(answer.rating, COALESCE(answer.updated_at, answer.created_at, TIMESTAMP '1970-01-01')) AS rating
    FROM vendor.ticket_csat_survey AS survey
    INNER JOIN vendor.csat_survey_answer AS answer ON survey.survey_response_id = answer.survey_response_id
    WHERE answer.rating IS NOT NULL
    GROUP BY survey.ticket_id
),

words AS (
    SELECT ticket_id, score, COALESCE(updated_at, created_at, _fivetran_synced) AS rated_at
    FROM vendor.satisfaction_rating
    WHERE NOT COALESCE(_fivetran_deleted, FALSE)
    UNION ALL
    SELECT ticket_id, value AS score, updated AS rated_at
    FROM vendor.ticket_field_history
    WHERE field_name = 'satisfaction_score'
),

scores AS (
    SELECT ticket_id, ARG_MAX(score, rated_at) AS score
    FROM words
    GROUP BY ticket_id
)

SELECT
    tickets.id AS ticket_id,
    CASE
        WHEN surveys.rating IS NOT NULL THEN 1 + 4 * (surveys.rating - 1) / NULLIF(GETVARIABLE('csat_scale') - 1, 0)
        WHEN scores.score LIKE 'good%' THEN GETVARIABLE('good_rating')
        WHEN scores.score LIKE 'bad%' THEN GETVARIABLE('bad_rating')
    END AS csat
FROM tickets
LEFT JOIN surveys ON tickets.id = surveys.ticket_id
LEFT JOIN scores ON tickets.id = scores.ticket_id;

-- A ticket was escalated where a human answered it publicly, or where a tag or group says so; and where no bot had a part
-- in it, unless a tag says that no human was needed. That it is solved says that an agent is done, not that it helped.
CREATE OR REPLACE TEMP TABLE conversations AS
WITH talk AS (
    SELECT
        ticket_id,
        BOOL_OR(role = 'bot') AS has_bot,
        BOOL_OR(role = 'agent') AS has_human,
        MIN(sent_at) FILTER (WHERE role = 'agent') AS answered_at
    FROM said
    GROUP BY ticket_id
),

tagged AS (
    SELECT
        ticket_id,
        LIST(tag ORDER BY tag) AS tags,
        BOOL_OR(LIST_CONTAINS(GETVARIABLE('bot_tags'), LOWER(tag))) AS has_bot,
        BOOL_OR(LIST_CONTAINS(GETVARIABLE('escalated_tags'), LOWER(tag))) AS is_escalated,
        BOOL_OR(LIST_CONTAINS(GETVARIABLE('contained_tags'), LOWER(tag))) AS is_contained,
        MIN(SUBSTRING(tag, LENGTH(GETVARIABLE('intent_tags')) + 1)) FILTER (
            WHERE GETVARIABLE('intent_tags') <> '' AND STARTS_WITH(LOWER(tag), GETVARIABLE('intent_tags'))
        ) AS intent
    FROM tags
    GROUP BY ticket_id
)

SELECT
    tickets.id AS conversation_id,
    tickets.created_at AS started_at,
    COALESCE(talk.has_human, FALSE)
    OR COALESCE(tagged.is_escalated, FALSE)
    OR COALESCE(LIST_HAS_ANY(GETVARIABLE('escalated_groups'), [groups.id, LOWER(groups.name)]), FALSE)
    OR NOT (
        COALESCE(talk.has_bot, FALSE) OR COALESCE(tagged.has_bot, FALSE) OR COALESCE(tagged.is_contained, FALSE)
    ) AS escalated,
    CASE tickets.via_channel
        WHEN 'native_messaging' THEN 'chat'
        WHEN 'chat_transcript' THEN 'chat'
        WHEN 'voice' THEN 'phone'
        WHEN 'mobile' THEN 'app'
        WHEN 'mobile_sdk' THEN 'app'
        ELSE tickets.via_channel
    END AS channel,
    COALESCE(tickets.chosen_language, requester.locale) AS language,
    CASE GETVARIABLE('product')
        WHEN 'brand' THEN brand.name
        WHEN 'group' THEN groups.name
        ELSE tickets.chosen_product
    END AS product,
    tickets.chosen_region AS region,
    tickets.requester_id AS customer_id,
    talk.answered_at AS escalated_at,
    COALESCE(tickets.chosen_intent, tagged.intent) AS predicted_intent,
    TRY_CAST(tickets.chosen_intent_confidence AS DOUBLE) AS intent_confidence,
    rated.csat,
    tagged.tags,
    COALESCE(tickets.updated_at, tickets.created_at) AS updated_at
FROM tickets
LEFT JOIN talk ON tickets.id = talk.ticket_id
LEFT JOIN tagged ON tickets.id = tagged.ticket_id
LEFT JOIN rated ON tickets.id = rated.ticket_id
LEFT JOIN users AS requester ON tickets.requester_id = requester.id
LEFT JOIN vendor."group" AS groups ON tickets.group_id = groups.id
LEFT JOIN vendor.brand ON tickets.brand_id = brand.id
ORDER BY conversation_id;

-- A tag that the settings take for a judgement on the bot's answer. The tag's history says who and when.
CREATE OR REPLACE TEMP TABLE outcomes AS
WITH history AS (
    SELECT
        ticket_id,
        tag,
        MAX(updated) AS tagged_at,
        ARG_MAX(user_id, updated) AS tagged_by
    FROM vendor.ticket_tag_history
    WHERE COALESCE(tagged, TRUE)
    GROUP BY ticket_id, tag
)

SELECT
    tags.ticket_id AS conversation_id,
    judged.outcome,
    history.tagged_at,
    history.tagged_by,
    NULLIF(GETVARIABLE('outcome_sample'), '') AS sample,
    tickets.chosen_true_intent AS true_intent,
    tickets.chosen_article AS article_id
FROM tags
INNER JOIN tickets ON tags.ticket_id = tickets.id
INNER JOIN vendor.outcome_tag AS judged ON LOWER(tags.tag) = judged.tag
LEFT JOIN history ON tags.ticket_id = history.ticket_id AND tags.tag = history.tag
ORDER BY conversation_id, judged.outcome, tags.tag;

-- Names and addresses of a ticket's people, which are taken out of its texts.
CREATE OR REPLACE TEMP TABLE names AS
WITH people AS (
    SELECT id AS ticket_id, requester_id AS user_id FROM tickets
    UNION
    SELECT id AS ticket_id, assignee_id AS user_id FROM tickets
    UNION
    SELECT ticket_id, user_id FROM vendor.ticket_comment
)

SELECT people.ticket_id AS conversation_id, UNNEST([users.name, users.alias, users.email, users.phone]) AS name
FROM people
INNER JOIN users ON people.user_id = users.id
WHERE NOT COALESCE(users.is_bot, FALSE)
UNION
SELECT id AS conversation_id, via_source_from_address AS name FROM tickets;
