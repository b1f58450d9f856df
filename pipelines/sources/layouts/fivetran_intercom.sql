-- Grain: one row a conversation, message, outcome, article, revision, owner, name, or id that is gone; see each table.
-- Inputs: the schema vendor, with rows of the tables that fivetran_intercom.toml names, of the ids in vendor.asked.
--
-- Fivetran's Intercom tables as rows of the contract. Run anew for each page of ids. All ids are text, all times UTC
-- without a zone. Settings are variables: lists of lower-case words, or texts that may be empty. Makes the tables owners,
-- articles, article_revisions, conversations, messages, outcomes, names and gone.
--
-- A table whose name ends with _history has a row for each version. Only active ones count; what has none was deleted.

-- Who answers for articles: teammates. One row a teammate.
CREATE OR REPLACE TEMP TABLE owners AS
WITH teams AS (
    SELECT team_admin.admin_id, MIN(team.name) AS team
    FROM vendor.team_admin
    INNER JOIN vendor.team ON team_admin.team_id = team.id
    WHERE NOT COALESCE(team_admin._fivetran_deleted, FALSE) AND NOT COALESCE(team._fivetran_deleted, FALSE)
    GROUP BY team_admin.admin_id
)

SELECT admin.id AS owner_id, admin.name, admin.email, teams.team, NOT admin._fivetran_deleted AS active
FROM vendor.admin
LEFT JOIN teams ON admin.id = teams.admin_id
QUALIFY ROW_NUMBER() OVER (PARTITION BY admin.id ORDER BY admin._fivetran_deleted NULLS FIRST, admin.name) = 1
ORDER BY owner_id;

-- The help centre. Reactions are known as their number and the shares of the happy and the sad ones.
CREATE OR REPLACE TEMP TABLE articles AS
SELECT
    id AS article_id,
    title,
    COALESCE(body, '') AS body,
    CASE WHEN state = 'draft' THEN 'draft' ELSE 'published' END AS status,
    url,
    default_locale AS language,
    author_id AS owner_id,
    created_at,
    updated_at,
    statistics_views AS views,
    CAST(ROUND(statistics_reactions * statistics_happy_reaction_percentage) AS BIGINT) AS helpful,
    CAST(ROUND(statistics_reactions * statistics_sad_reaction_percentage) AS BIGINT) AS unhelpful
FROM vendor.article_history
WHERE _fivetran_active
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS LAST) = 1
ORDER BY article_id;

-- Every version of an article that is kept.
CREATE OR REPLACE TEMP TABLE article_revisions AS
SELECT
    id AS article_id,
    updated_at AS revised_at,
    author_id,
    state = 'published' AS approved
FROM vendor.article_history
WHERE updated_at IS NOT NULL AND id IN (SELECT articles.article_id FROM articles)
QUALIFY ROW_NUMBER() OVER (PARTITION BY id, updated_at ORDER BY _fivetran_active DESC) = 1
ORDER BY article_id, revised_at;

-- Conversations as they are now.
CREATE OR REPLACE TEMP TABLE talks AS
SELECT *
FROM vendor.conversation_history
WHERE _fivetran_active AND NOT COALESCE(_fivetran_deleted, FALSE) AND created_at IS NOT NULL
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS LAST, _fivetran_synced DESC) = 1;

-- What was asked for and is no longer there.
CREATE OR REPLACE TEMP TABLE gone AS
SELECT id AS conversation_id FROM vendor.asked WHERE id NOT IN (SELECT talks.id FROM talks) ORDER BY id;

-- Teammates that are bots by the settings.
CREATE OR REPLACE TEMP TABLE bots AS
SELECT id FROM vendor.teammate WHERE LIST_HAS_ANY(GETVARIABLE('bot_authors'), [id, LOWER(name), LOWER(email)]);

CREATE OR REPLACE TEMP TABLE tags AS
SELECT DISTINCT tagging.conversation_id, TRIM(tag.name) AS tag
FROM vendor.conversation_tag_history AS tagging
INNER JOIN vendor.tag ON tagging.tag_id = tag.id
WHERE tagging._fivetran_active AND NOT COALESCE(tag._fivetran_deleted, FALSE) AND TRIM(tag.name) <> '';

-- What was said: the message that began it, and parts that customers see. Notes are none of them, and neither are the many
-- kinds of parts that record an event. The text is HTML.
CREATE OR REPLACE TEMP TABLE said AS
WITH parts AS (
    SELECT *
    FROM vendor.conversation_part_history
    WHERE
        _fivetran_active
        AND NOT COALESCE(_fivetran_deleted, FALSE)
        AND part_type IN (
            'comment', 'open', 'close', 'assignment', 'assign_and_reopen', 'assign_and_unsnooze', 'quick_reply'
        )
    QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS LAST, _fivetran_synced DESC) = 1
),

every_text AS (
    SELECT
        id AS conversation_id,
        'source' AS id,
        source_body AS text,
        created_at AS sent_at,
        0 AS place,
        source_author_id AS author_id,
        CASE
            WHEN source_delivered_as IN ('automated', 'operator_initiated', 'campaigns_initiated') THEN 'bot'
            ELSE source_author_type
        END AS author_type
    FROM talks
    UNION ALL BY NAME
    SELECT conversation_id, id, body AS text, created_at AS sent_at, 1 AS place, author_id, author_type
    FROM parts
    WHERE conversation_id IN (SELECT talks.id FROM talks)
)

SELECT
    * EXCLUDE (author_type),
    CASE
        WHEN author_type = 'bot' OR author_id IN (SELECT bots.id FROM bots) THEN 'bot'
        WHEN LIST_CONTAINS(GETVARIABLE('bot_authors'), author_id) THEN 'bot'
        WHEN author_type IN ('admin', 'team', 'teammate') THEN 'agent'
        ELSE 'customer'
    END AS role
FROM every_text
WHERE TRIM(REGEXP_REPLACE(text, '<[^>]*>', '', 'g')) <> '';

-- Articles that a text of the bot links to; and those that Fin read for its answer, of its last message.
CREATE OR REPLACE TEMP TABLE cited AS
WITH links AS (
    SELECT conversation_id, id, UNNEST(REGEXP_EXTRACT_ALL(text, 'https?://[^\s<>"''\])]+')) AS link
    FROM said
    WHERE role = 'bot'
    UNION ALL
    SELECT read.conversation_id, last_said.id, read.url AS link
    FROM vendor.conversation_ai_agent_content_source AS read
    INNER JOIN (
        SELECT conversation_id, ARG_MAX(id, (sent_at, place, id)) AS id
        FROM said
        WHERE role = 'bot'
        GROUP BY conversation_id
    ) AS last_said ON read.conversation_id = last_said.conversation_id
    WHERE NOT COALESCE(read._fivetran_deleted, FALSE) AND COALESCE(read.content_type, 'article') = 'article' AND read.url <> ''
),

addresses AS (
    SELECT
        conversation_id,
        id,
        REGEXP_EXTRACT(link, '/articles/(\d+)', 1) AS number,
        RTRIM(REGEXP_REPLACE(link, '[?#].*$', ''), '/.,;:!') AS address
    FROM links
    WHERE STARTS_WITH(link, GETVARIABLE('help_center'))
)

SELECT
    addresses.conversation_id,
    addresses.id,
    LIST(DISTINCT COALESCE(by_address.id, by_number.id) ORDER BY 1) AS article_ids
FROM addresses
LEFT JOIN vendor.article_link AS by_address ON addresses.address = RTRIM(by_address.url, '/')
LEFT JOIN vendor.article_link AS by_number ON addresses.number = by_number.id
WHERE by_address.id IS NOT NULL OR by_number.id IS NOT NULL
GROUP BY addresses.conversation_id, addresses.id;

CREATE OR REPLACE TEMP TABLE messages AS
SELECT
    said.conversation_id,
    said.role,
    said.text,
    said.sent_at,
    cited.article_ids
FROM said
LEFT JOIN cited ON said.conversation_id = cited.conversation_id AND said.id = cited.id
ORDER BY said.conversation_id, said.place, said.sent_at NULLS FIRST, TRY_CAST(said.id AS BIGINT), said.id;

-- A conversation was escalated where a teammate wrote to the customer, where Fin says that it handed over, or where a tag
-- or team of the settings says so. It is resolved or not where the customer told Fin; everything else is unknown.
CREATE OR REPLACE TEMP TABLE conversations AS
WITH sides AS (
    SELECT
        conversation_id,
        BOOL_OR(role = 'agent') AS has_human,
        MIN(sent_at) FILTER (WHERE role = 'agent') AS answered_at
    FROM said
    GROUP BY conversation_id
),

tagged AS (
    SELECT
        conversation_id,
        LIST(tag ORDER BY tag) AS tags,
        BOOL_OR(LIST_CONTAINS(GETVARIABLE('escalated_tags'), LOWER(tag))) AS is_escalated,
        MIN(SUBSTRING(tag, LENGTH(GETVARIABLE('intent_tags')) + 1)) FILTER (
            WHERE GETVARIABLE('intent_tags') <> '' AND STARTS_WITH(LOWER(tag), GETVARIABLE('intent_tags'))
        ) AS intent
    FROM tags
    GROUP BY conversation_id
),

contacts AS (
    SELECT *
    FROM vendor.contact_history
    WHERE _fivetran_active
    QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY updated_at DESC NULLS LAST) = 1
),

asking AS (
    SELECT conversation_id, MIN(contact_id) AS contact_id
    FROM vendor.conversation_contact_history
    GROUP BY conversation_id
)

SELECT
    talks.id AS conversation_id,
    talks.created_at AS started_at,
    COALESCE(sides.has_human, FALSE)
    OR COALESCE(tagged.is_escalated, FALSE)
    OR COALESCE(talks.ai_agent_resolution_state IN ('routed_to_team', 'escalated', 'procedure_handoff'), FALSE)
    OR COALESCE(LIST_HAS_ANY(GETVARIABLE('escalated_groups'), [team.id, LOWER(team.name)]), FALSE) AS escalated,
    CASE talks.source_type
        WHEN 'conversation' THEN 'chat'
        WHEN 'messenger' THEN 'chat'
        WHEN 'phone_call' THEN 'phone'
        WHEN 'phone_switch' THEN 'phone'
        ELSE talks.source_type
    END AS channel,
    COALESCE(talks.chosen_language, contacts.language_override, contacts.browser_language) AS language,
    CASE GETVARIABLE('product') WHEN 'team' THEN team.name ELSE talks.chosen_product END AS product,
    talks.chosen_region AS region,
    contact.id AS customer_id,
    sides.answered_at AS escalated_at,
    CASE talks.ai_agent_resolution_state
        WHEN 'confirmed_resolution' THEN TRUE
        WHEN 'negative_feedback' THEN FALSE
    END AS resolved,
    COALESCE(talks.chosen_intent, tagged.intent) AS predicted_intent,
    TRY_CAST(talks.chosen_intent_confidence AS DOUBLE) AS intent_confidence,
    1 + 4 * (COALESCE(talks.conversation_rating_value, talks.ai_agent_rating) - 1) / NULLIF(GETVARIABLE('csat_scale') - 1, 0)
        AS csat,
    talks.statistics_handling_time AS handle_seconds,
    tagged.tags,
    talks.updated_at
FROM talks
LEFT JOIN sides ON talks.id = sides.conversation_id
LEFT JOIN tagged ON talks.id = tagged.conversation_id
LEFT JOIN asking ON talks.id = asking.conversation_id
LEFT JOIN LATERAL (
    SELECT
        COALESCE(
            asking.contact_id,
            CASE WHEN talks.source_author_type NOT IN ('admin', 'bot', 'team') THEN talks.source_author_id END
        ) AS id
) AS contact ON TRUE
LEFT JOIN contacts ON contact.id = contacts.id
LEFT JOIN vendor.team ON COALESCE(talks.team_assignee_id, talks.assignee_id) = team.id
ORDER BY conversation_id;

-- A tag that the settings take for a judgement on the bot's answer; and the customer's no to what Fin answered.
CREATE OR REPLACE TEMP TABLE outcomes AS
SELECT
    tags.conversation_id,
    judged.outcome,
    NULL::TIMESTAMP AS tagged_at,
    NULL::VARCHAR AS tagged_by,
    NULLIF(GETVARIABLE('outcome_sample'), '') AS sample,
    talks.chosen_true_intent AS true_intent,
    talks.chosen_article AS article_id
FROM tags
INNER JOIN talks ON tags.conversation_id = talks.id
INNER JOIN vendor.outcome_tag AS judged ON LOWER(tags.tag) = judged.tag
UNION ALL BY NAME
SELECT
    id AS conversation_id,
    'wrong' AS outcome,
    updated_at AS tagged_at,
    'customer' AS tagged_by,
    'feedback' AS sample,
    chosen_true_intent AS true_intent,
    chosen_article AS article_id
FROM talks
WHERE ai_agent_resolution_state = 'negative_feedback'
ORDER BY conversation_id, outcome;

-- Names and addresses of a conversation's people, which are taken out of its texts.
CREATE OR REPLACE TEMP TABLE names AS
WITH people AS (
    SELECT conversation_id, contact_id AS person FROM vendor.conversation_contact_history
    UNION
    SELECT id AS conversation_id, UNNEST([source_author_id, assignee_id]) AS person FROM talks
    UNION
    SELECT conversation_id, author_id AS person FROM vendor.conversation_part_history
)

SELECT people.conversation_id, UNNEST([contact.name, contact.email, contact.phone]) AS name
FROM people
INNER JOIN vendor.contact_history AS contact ON people.person = contact.id
UNION
SELECT people.conversation_id, UNNEST([teammate.name, teammate.email]) AS name
FROM people
INNER JOIN vendor.teammate ON people.person = teammate.id
WHERE teammate.id NOT IN (SELECT bots.id FROM bots);
