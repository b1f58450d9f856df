"""The small words that labels are cut at, English and German, and the phrases that open a message and say nothing."""

from __future__ import annotations

import re

from bm25s.stopwords import STOPWORDS_EN_PLUS, STOPWORDS_GERMAN


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What says nothing about a topic; the grouping of questions leaves these out too.
STOP_WORDS = frozenset(STOPWORDS_EN_PLUS) | frozenset(STOPWORDS_GERMAN) | _words(
    "am can cannot could do does doing ein eine get getting got has hat have hello hi how ich just know like mein meine "
    "my need now one please question really still thank thanks thing things this try trying use using want way would "
    "bitte danke hallo help hilfe also when since anyone someone"
)  # fmt: skip

GERMAN = frozenset(STOPWORDS_GERMAN) - _words("am in an so war was die man her hat ins also will") | _words(
    "bitte danke hallo wieso warum wann wer gibt geht"
)
DETERMINERS = _words(
    "a an the this that these those my your our his her its their some any each every either another such what which "
    "der die das den dem des ein eine einen einem einer eines mein meine meinen meinem meiner meines dein deine deinen "
    "unser unsere unseren unserem unserer euer eure euren ihr ihre ihren ihrem ihrer sein seine seinen seinem seiner "
    "dieser diese dieses diesen diesem jeder jede jedes jeden jedem welche welcher welches welchen im am zum zur vom "
    "beim ins ans"
)
PRONOUNS = _words(
    "i me you we us he him she it they them there here who whom whose myself yourself itself themselves one ones "
    "someone somebody anyone anybody everyone nobody something anything everything nothing mine yours u ya "
    "ich mich mir du dich dir er ihn ihm sie ihnen es wir uns euch man sich da hier dort etwas alles nichts jemand "
    "niemand wer wen wem selbst"
)
AUXILIARIES = _words(
    "am is are was were be been being do does did have has had having can could will would shall should may might must "
    "let lets i'm i've i'd i'll it's that's there's what's who's where's how's here's he's she's you're you've we're "
    "we've we'd they're they've ive thats whats "
    "bin bist ist sind seid war waren wäre wird werde werden wurde wurden würde würden hat habe hab haben hatte hatten "
    "hätte kann können kannst könnte könnt könnten muss müssen musste soll sollen sollte sollten will wollen wollte "
    "möchte möchten darf dürfen dürfte mag gibt"
)
NEGATIONS = _words(
    "not no never without can't cannot won't don't doesn't didn't isn't aren't wasn't weren't hasn't haven't hadn't "
    "couldn't wouldn't shouldn't unable "
    "kein keine keinen keinem keiner nicht ohne nie"
)
DENIERS = _words("neither none nobody nothing nor keiner keine keines keins niemand nichts weder")
PREPOSITIONS = _words(
    "of in on at by for from with into onto to about after before between through during without within under over "
    "against via per like as than since until till towards upon off out up down across behind near around despite "
    "except for instead versus vs "
    "von aus bei mit nach zu an auf für gegen ohne um durch über unter vor hinter neben zwischen in seit bis wegen "
    "trotz statt während pro ab als wie per"
)
CONJUNCTIONS = _words(
    "& and or but so because if when while where why how that though although whether unless nor yet then also plus "
    "whenever whereas what which "
    "und oder aber denn weil wenn ob dass als während obwohl sondern sowie damit sodass bevor nachdem falls doch wann "
    "wo warum wieso wieviel weshalb"
)
# Verb particles that may close a clause: log in, switch off, zurück, ab.
PARTICLES = _words("off up out down back away over together apart ab an auf aus ein zu zurück weg los")
ADVERBS = _words(
    "still already again just now really actually only even ever always usually often sometimes very too quite rather "
    "almost also maybe perhaps probably suddenly recently currently right here there somewhere anywhere everywhere "
    "anymore anyway though instead else well much more most less least further far soon later please pls ok okay so "
    "simply apparently certainly otherwise exactly basically finally constantly continually repeatedly randomly "
    "sure enough completely directly together altogether earlier ago once twice "
    "schon noch nur auch sehr mal eben doch ja immer wieder jetzt nun gerade heute gern gerne bitte leider plötzlich "
    "ziemlich vielleicht eigentlich überhaupt trotzdem mehr weiter sonst dann denn so zu ganz bald sofort überall "
    "irgendwo einfach bereits bisher endlich"
)
TIMES = _words(
    "time times today tomorrow yesterday tonight now monday tuesday wednesday thursday friday saturday sunday weekend week weeks "
    "day days month months year years hour hours minute minutes morning afternoon evening ago last next spring summer "
    "autumn winter january february march april june july august september october november december "
    "heute morgen gestern montag dienstag mittwoch donnerstag freitag samstag sonntag woche wochen tag tage tagen monat "
    "monaten jahr jahren stunde stunden minuten letzte letzten letzter nächste nächsten nächster"
)
QUANTITIES = _words(
    "many few several all both two three four five six seven eight nine ten first second third other others own same "
    "whole half old new different big small large good bad best better certain various multiple single previous current "
    "zwei drei vier fünf sechs sieben acht neun zehn alle allen viele vielen viel wenig andere anderen neue neuen neuer "
    "alte alten ganze ganzen erste ersten"
)
# Verbs that ask for a word after them, and words that lean on one: a label that ends, or starts, here was cut too short.
HANGING = _words(
    "says say said saying tell tells told ask asks asked asking get gets getting got gotten want wants wanted need needs "
    "needed use uses used using put puts take takes taking took taken make makes making made give gives giving gave "
    "given see sees saw find finds found know knows knew think thinks thought keep keeps keeping kept show shows "
    "showing showed mean means meant go goes going gone went come comes coming came let lets seem seems seemed look "
    "looks looking looked try tries tried trying become becomes became happen happens happened bring brings brought "
    "hope like likes wish love hate having causes called set has thank thanks read reads forgot forget guess sure enough contains "
    "sagt sagen sage gesagt machen macht gemacht tun geht gehen ging gegangen kommt kommen kam nehmen nimmt finde finden "
    "findet gefunden geben gibt gebe steht stehen bekommen bekomme bekommt heißt bleibt lassen lässt habe weiß wissen "
    "fragen frage denke glaube brauche braucht"
)
# Those of them that may open a label as what a customer wants to do: "set a new password".
DOING = _words("ask bring find get give go keep look make put read see set show take tell use")
# Written without its apostrophe in a hurry.
APOSTROPHES = {
    word.replace("'", ""): word
    for word in (*(n for n in NEGATIONS if "'" in n), "i've", "that's", "what's", "there's", "you're", "they're")
} | {"wont": "won't", "cant": "can't", "dont": "don't"}

_SIGN_OFF = (
    r"\b(?:(?:many|kind|best|warm) (?:thanks|regards|wishes)|thank you|thanks|thx|regards|cheers|sorry|hi|hiya|hello|hey|hallo|dear|folks|guys"
    r"|(?:(?:mit )?(?:freundlichen?|vielen?|liebe|besten?|schöne|herzliche[nr]?) )?(?:grüße?n?|grüssen?|gruß|dank)|danke|entschuldigung)\b"
)
# Where a sentence ends for a label: marks, line ends, placeholders, greetings, thanks.
BREAK = re.compile(
    r"<[A-Z_]{2,}>|\[\w+\]|[.!?;:,…]+(?=\s|$)|[()\[\]{}\n\"“”„«»|=<>•*~]+|\s[-–—]+\s|-->?"
    r"|[\U0001F000-\U0001FFFF☀-➿]+|" + _SIGN_OFF,
    re.I,
)
_YOU = r"(?:please |just |maybe |kindly )*"
_OPEN_EN = (
    r"o+k(?:ay)?", r"so", r"ya", r"yeah", r"yes", r"yep", r"hi+", r"hiya", r"hello", r"hey", r"guys", r"folks", r"all",
    r"team", r"please", r"pls", r"plz", r"hm+", r"um+", r"uh+", r"oh", r"well", r"and", r"but", r"or", r"also", r"now",
    r"just", r"actually", r"anyway", r"sorry", r"thanks?", r"thank you", r"thx", r"cheers", r"urgent", r"greetings",
    r"(?:any )?help(?: me| please| needed)?", r"(?:a |one )?(?:quick|small|short|simple|silly|stupid) (?:question|problem|one)",
    r"(?:my |the |a |one )?(?:question|problem|issue)(?: is(?: that)?| with)?", r"any idea(?:s)?(?: why| how)?", r"basically",
    r"(?:can|could|does|do|is|has) (?:there )?(?:some|any)(?:body|one)(?: here| there| out there| who)? ?(?:please |else )?"
    r"(?:tell me|help(?: me)?(?: with)?|explain|know|knows|have any idea|advise)",
    rf"(?:can|could|would|will) you {_YOU}(?:tell me|let me know|explain|help(?: me)?(?: with)?|advise)",
    r"(?:tell me|let me know|explain to me)", r"(?:i(?:'m| am| was) )?(?:just )?wondering(?: if| whether)?",
    r"(?:i|we)(?: would|'d) (?:like|love) to (?:know|ask)", r"(?:i|we) (?:want|need|wanted) to (?:know|ask)",
    r"do you know(?: if| whether)?", r"(?:i )?(?:was )?hop(?:e|ing) (?:that )?(?:you|someone|somebody) can(?: help)?(?: me)?",
    r"(?:i'm |i am )?not sure (?:who to ask|if i'm in the right place(?: here)?|why|how|if)",
    r"(?:i|we)(?: have|'ve|'ve got| have got| got) (?:a|one|another|some|this) (?:\w+ )?(?:question|problem|issue)s?"
    r"(?: with| about| that| regarding)?", r"for some reason", r"by the way", r"btw", r"fyi",
    r"as (?:the )?(?:title|subject|above)(?: says)?", r"good (?:morning|afternoon|evening|day)", r"dear \w+",
    r"i (?:think|guess|believe|see|noticed|notice|found|assume|understand|heard)(?: that)?", r"how come", r"no idea (?:why|how)",
    r"(?:re|fwd?|aw|wg)", r"that", r"then", r"today", r"yesterday", r"recently", r"suddenly", r"currently", r"lately",
    r"(?:\w+ )?(?:minutes?|hours?|days?|weeks?|months?|years?) ago", r"since \w+", r"please note", r"again", r"still",
    r"(?:can|could|will|would) you please(?= \w+ \w+)",
)  # fmt: skip
_OPEN_DE = (
    r"also", r"ja", r"nein", r"hallo", r"moin", r"servus", r"guten (?:tag|morgen|abend)", r"bitte", r"leute", r"hilfe",
    r"(?:nur )?(?:mal )?(?:eine? )?(?:kurze |kleine |dumme )?frage(?: zwischendurch)?", r"(?:kurzes |kleines )?problem", r"folgendes",
    r"sag(?:t)? mal", r"(?:können|könnten|könnt|kann) (?:sie|ihr|mir|jemand)(?: mir)?(?: bitte)?(?: sagen| helfen| erklären)",
    r"weiß jemand", r"ich (?:wollte|möchte|würde gerne?) (?:gerne? )?(?:fragen|wissen)", r"entschuldigung", r"sorry", r"und",
    r"aber", r"oder", r"ach ja", r"übrigens", r"leider", r"danke", r"wissen sie", r"wisst ihr", r"ob", r"dass", r"denn",
)  # fmt: skip
OPENERS = re.compile(rf"(?:{'|'.join((*_OPEN_EN, *_OPEN_DE))})(?: |$)")

_WISH = (
    r"(?:want(?:ed)?|need(?:ed)?|would like|'d like|would love|wish|tried|try|have tried|(?:am|'m|was|are|'re|were|have been|'ve been) "
    r"(?:trying|attempting|looking|going)|'ve tried|like|have|had|attempted|decided)"
)
# How a customer leads up to what a label should say: the action, or the thing.
ASKING = re.compile(
    r"(?:"
    r"(?:how|where) (?:do|can|could|would|should|shall|am|are|may|might|did|must|will) (?:i|we|you|one|u|someone)(?: even| actually| now)?(?: go about)?"
    r"|(?:do|can|could|should|shall|may|might|must) (?:i|we)(?: also| still| just| already| even)?(?: be able to| have to| need to)?"
    r"|how to|how is it possible to|is it (?:still |also )?(?:possible|allowed|ok|okay|safe) (?:to|that)|how can (?:i|we) (?:please )?"
    r"|(?:what is|what's|whats|which is) the (?:best|right|correct|easiest|proper) way (?:to|of)"
    r"|what (?:do|can|should|shall) (?:i|we) do (?:if|when|about|with)"
    r"|(?:is|are|was) there (?:a|any|some) way(?: to| that i can| i can| of)?"
    r"|(?:is|are) there (?:a|an|any|some)|(?:have|do) you (?:got|have|sell|offer) (?:a|an|any|some)"
    r"|am i (?:able|allowed) to"
    rf"|(?:i|we) ?{_WISH} to|(?:i|we) (?:just|only|really|also|simply)? ?{_WISH} to"
    r"|(?:i|we)(?:'m| am|'re| are|'ve been| have been)(?: currently| now)? having (?:a |some )?(?:\w+ )?(?:problems?|issues?|trouble|difficult\w+)(?: with| in)?"
    r"|(?:i|we)(?:'m| am|'re| are|'ve been| have been)"
    r"|(?:i|we)(?:'ve| have| had|'d)(?: just| now| already| also| recently)?(?: got)?(?: (?:a|an|the|my|some))?"
    r"|(?:i|we)(?: just| now| also| only| already| still| recently| suddenly| really)*"
    r"|(?:what is|what's|whats|what are|which are|which is) (?:the|my|your|a|an)"
    r"|(?:there is|there's|there are|there was)"
    r"|(?:can|could|would|will) you (?:please |just )*"
    r"|(?:wie|wo) (?:kann|muss|soll|darf|könnte|können|müssen) (?:ich|man|wir)(?: denn| am besten| eigentlich)?"
    r"|(?:kann|darf|könnte|soll|muss|können|dürfen) (?:ich|man|wir)(?: denn| auch| noch| eigentlich)?"
    r"|ist es (?:noch |auch )?möglich|gibt es (?:noch |auch |bei euch |bei ihnen )?(?:eine?n? |den |die |das )?|habt ihr (?:eine?n? )?|haben sie (?:eine?n? )?"
    r"|ich (?:möchte|will|würde gerne?|muss|wollte|brauche|suche)(?: gerne?| bitte| noch)?(?: eine?n?| den| die| das| meine?n?)?"
    r"|wie (?:ist|lautet|sind) (?:der|die|das|mein|meine)"
    r")(?: |$)"
)
# What no label holds: "be" on its own, a question turned around, a question word inside, a plea, a half negation.
BROKEN = re.compile(
    r"(?:^|(?<!to)(?<!can)(?<!will) )(?:be|been) | (?:do|does|did|can|could|should|would|will|am|is|are|was|kann|soll|muss|ist|sind) "
    r"(?:i|you|we|it|they|he|she|ich|wir|man|das|es|sie|ihr) | (?:what|what's|which|how|who|why|where's|welche[rsnm]?|wie|was|"
    r"please|pls|bitte|(?:don't|doesn't|not|didn't|nicht) (?:want|wants|like|know|need|just|only|even)) "
)
# A question told, not asked.
INDIRECT = re.compile(
    r"(?:how|what|when|where|why|wie|was|wann|wo|warum) (?:my|the|your|our|a|this|that|it|i|we|they|you|it's|mein|meine|der|die|das|ich|wir|es) "
    r"|which \w+ (?:it's|it|i|we|the|my) "
)
OPENS_A_QUESTION = re.compile(
    r"(?:how|what|what's|when|where|where's|why|which|who|is|are|was|do|does|did|can|could|will|would|should|must|has|"
    r"have|am|may|wie|was|wann|wo|wohin|woher|warum|wieso|weshalb|welche[rsnm]?|wer|ist|sind|kann|können|darf|muss|soll|"
    r"gibt|geht|habt|haben|hat|wird|gilt|kommt) "
)
