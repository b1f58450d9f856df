"""The sentences behind the handoff triggers, English and German, as patterns in one place.

Every line is a family of phrases. They are matched on lower-case text whose white space has been collapsed and whose
apostrophes are straight: a pattern that ignores case itself takes several times as long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "ACCOUNT_ACTION",
    "FALLBACK",
    "FRUSTRATION",
    "HUMAN_REQUEST",
    "POLICY_HANDOVER",
    "REPHRASING",
    "SOLVED",
    "THANKS",
    "Phrases",
]


@dataclass(frozen=True)
class Phrases:
    """One trigger: its pattern, the phrases that only look like it, and stems of which one is in every sentence of it.

    The stems are lower-case substrings; they spare the pattern most sentences, and with that most of the time.
    """

    stems: tuple[str, ...]
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


_PERSON = (
    r"(?:human(?: being)?s?|person|real (?:one|someone|agent|people|human|person)|people|someone(?: real| else)?|somebody|agents?|representatives?|rep|advis[eo]rs?"
    r"|operators?|(?:support |service |customer )?(?:staff|employee|worker|team member|specialist|consultant)s?|supervisor|manager|boss|colleague|customer (?:service|support|care)|live (?:chat|agent|person|support)|support team"
    r"|man or woman|actual (?:human|person|agent)|your team|team)"
)
_MENSCH = (
    r"(?:(?:echte[nrms]?|richtige[nrms]?|wirkliche[nrms]?|lebende[nrms]?) (?:mensch(?:en)?|person(?:en)?|mitarbeiter(?:in)?|ansprechpartner)|menschen?|jemande?[nm]?|mitarbeiter(?:in|n|innen)?|kollegen|kollegin|berater(?:in)?"
    r"|kundenservice|kundendienst|kundenberater(?:in)?|sachbearbeiter(?:in)?|ansprechpartner(?:in)?|person(?:al)?|vorgesetzten?|support|agenten?|agent(?:in)?)"
)
_ARTICLE = r"(?:a |an |the |some |any |your |one of your |with |to |live |real |actual |another |proper )*"


def _any(*lines: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{line})" for line in lines))


_HUMAN_REQUEST = _any(
    r"\b(?:deal|work|communicate|correspond|discuss (?:this|it)) with "
    + _ARTICLE
    + r"(?:human|person|real \w+|someone|somebody|agent|representative)\b",
    r"\b(?:have|get|let|tell|ask) (?:someone|somebody|one of your (?:staff|team|people|colleagues)|a colleague|an? agent) (?:to )?(?:call|ring|phone|contact|write|email|give me a (?:ring|call))\b",
    r"\b(?:could|can|would|will|may) (?:someone|somebody|anyone|one) (?:of|from|in|on) (?:your|the) (?:staff|team|people|colleagues|agents|support)\b",
    r"\b(?:any|some) (?:actual|real|living|human) (?:people|persons?|humans?|staff|agents?)\b",
    r"\b(?:stell|verbind|leit|reich|gib|geb)(?:e|en|t)?(?: sie)? (?:mich|uns)(?: \w+){0,3} (?:zu|mit|an) (?:einem |einer |ihrem |ihrer |dem |der |den |eurem )*"
    + _MENSCH
    + r"\b",
    r"\b(?:jemand(?:en|em)?|einen? (?:mensch|mitarbeiter|person|berater)\w*),? (?:mit dem|mit der|mit denen) (?:ich|man|wir) (?:\w+ ){0,3}(?:reden|sprechen|telefonieren|schreiben)\b",
    r"^\W*(?:mensch|mitarbeiter(?:in)?|berater(?:in)?|kundenberater(?:in)?|ansprechpartner(?:in)?|kundenservice|support|agent)(?: bitte)?\W*$",
    r"\bvon (?:einem |einer |ihrem |jemandem |eurem )+(?:"
    + _MENSCH
    + r" )?(?:\w+ ){0,2}(?:kontaktiert|angerufen|zurückgerufen|beraten) werden\b|\bvon (?:einem |einer |ihrem |eurem )"
    + _MENSCH
    + r" (?:\w+ ){0,2}(?:kontaktiert|angerufen|zurückgerufen|beraten)\b",
    r"\b(?:talk|speak|chat|spoke|text|write|type)(?:ing)? (?:to|with|2) " + _ARTICLE + _PERSON + r"\b",
    r"\b(?:connect|transfer|forward|put|pass|refer|escalate|route|redirect|hand)(?: (?:me|us|this|it|my (?:case|chat|request|issue)))?(?: (?:through|over|on))? (?:to|with) "
    + _ARTICLE
    + _PERSON
    + r"\b",
    r"\b(?:get|give|send|bring|find|want|need|prefer|like|have|fetch|contact|reach|call|ask for|see|is there|are there|rather have)(?: me| us| to (?:have|reach|contact|see))? (?:"
    + _ARTICLE
    + r")(?:human|person\b(?! who (?:left|sold))|real (?:person|human|agent|people)|actual (?:human|person|agent)|live (?:agent|person|chat|support|operator)|(?:human|customer service|support) (?:agent|rep|representative|operator|support)|representative|operator|supervisor)\b",
    r"\b(?:can|could|may|will|would|should|please)(?: please)? (?:"
    + _ARTICLE
    + r")(?:human|real person|actual person|real human|person|agent|representative|supervisor|colleague|(?:someone|somebody)(?: (?:real|human|from your (?:team|side))))(?: (?:please|from your (?:team|side)|there|actually))* (?:call|ring|phone|help|look|contact|take|assist|answer|read|check|step|handle|reply|respond|get|deal)\b",
    r"\b(?:can|could|may|will|would|should|have|get|please)(?: please)? (?:someone|somebody|anyone|anybody)(?: (?:please|from \w+|there|just|actually))* (?:to )?(?:call|ring|phone|contact|take (?:this )?over|step in|get (?:back|in touch))\b",
    r"^\W*(?:an? |the |real |live |actual )*(?:human|agent|representative|operator|real person|live (?:agent|chat|person|support)|customer service|real human|human (?:agent|please|being))(?: (?:agent|please|now|pls|plz))*\W*$",
    r"\b(?:human|real person|agent|representative|operator|live (?:agent|person)|someone real)\W{0,3}(?:please|pls|plz|now)\b",
    r"\b(?:stop|enough|done|fed up|sick|tired)(?: of)?(?: (?:with|talking|chatting|writing))*(?: to| with)?(?: (?:this|the|a|your|stupid|these))* (?:bot|chat ?bot|robot|machine|automated \w+)s?\b",
    r"\b(?:not|no|don't want|do not want|instead of|rather than) (?:to )?(?:talk to |speak to |speak with |talk with |chat with |with )?(?:an? |the |this |another |your |some )?(?:chat ?bot|robot|machine|bot|computer|ai)s?\b(?=[^.!?]{0,40}\b(?:human|person|someone|people|agent|please)|(?: any ?more| again)?\W*$)",
    r"\b(?:is|are) (?:there |this )?(?:an? |any |some )?(?:(?:real |actual |live )?(?:human|person)s?|(?:real |actual |live )people|(?:someone|anyone|anybody) (?:real|human|alive|(?:i can|to) (?:talk|speak|write) (?:to|with)|on the other (?:end|side)))(?: (?:there|here|real|human|alive|available|i can|to|on the|at your|in your|who|behind|reading|working))*(?: (?:talk|speak|write) (?:to|with))?\b",
    r"\bnobody (?:human|real)|\b(?:someone|somebody|anyone|a person) on the (?:phone|line)\b|\b(?:is )?(?:anyone|anybody|someone) (?:actually |even |really )?(?:reading|there to (?:talk|help))\b|\bget me (?:someone|somebody)\b|\b(?:call|phone|ring) me back\b|\b(?:please|someone|you) (?:call|phone|ring) me\b|\bi (?:want|need|demand|would like|'d like) (?:a )?(?:call ?back|phone call)\b",
    r"\b(?:mit|an|zu|von|bei) (?:einem|einer|einen|ihrem|ihren|ihrer|euren|eurem|dem|der|den|nem|ner)? ?"
    + _MENSCH
    + r" (?:\w+ ){0,3}?(?:sprechen|reden|verbunden|verbinden|weitergeleitet|weiterleiten|schreiben|chatten|telefonieren|kommunizieren|übergeben|zurückgerufen|durchgestellt|durchstellen|geholfen)",
    r"\b(?:sprech|red|schreib|chatt|telefonier)(?:e|en) (?:\w+ ){0,4}?mit (?:einem |einer |ihrem |dem |ihren |nem )?"
    + _MENSCH
    + r"\b",
    r"\b(?:will|möchte|brauche|hätte|wünsche|verlange|bitte|gib|gebt|geben)(?: (?:ich|sie|mir|gern|gerne|jetzt|endlich|bitte|um|doch|lieber|einfach|sofort))* (?:(?:einen?|mit|einem|einer|euren?|ihren?) )*(?:echte[nrm]? |richtige[nrm]? |lebende[nrm]? |wirkliche[nrm]? )?(?:menschen|mitarbeiter(?:in)?|ansprechpartner(?:in)?|berater(?:in)?|kundenberater(?:in)?|vorgesetzten?|person|rückruf)\b",
    r"\b(?:kann|könnte|soll|würde|darf|wann|meldet)(?: (?:meldet|endlich|sich|bei|mal|mich|mir|bitte|sich|das|da|mal|denn|hier|ich))* (?:jemand|ein mensch|ein mitarbeiter|eine mitarbeiterin|ein echter \w+|einer von euch|eine person|ein kollege)\b[^.!?]{0,50}(?:zurückrufen|rückrufen|anrufen|melden|helfen|ansehen|anschauen|kümmern|übernehmen|antworten|kontaktieren|prüfen)",
    r"\b(?:gibt es|ist)(?: (?:hier|da|bei euch|denn|auch|dort))* (?:einen?|irgendwo|jemand(?:en)?|echte?n?|richtige?n?|nur)(?: (?:echte[nrm]?|richtige[nrm]?))? ?(?:menschen?|mensch|mitarbeiter|jemand(?:en)?|ansprechpartner|person|da|echtes)\b",
    r"\b(?:kein|nicht|keine lust|statt)(?: (?:auf|mit|einen?|einem|mehr|dem|diesem))* (?:chat ?bot|bot|roboter|maschine|computer|automaten?)\b(?=[^.!?]{0,60}(?:mensch|person|mitarbeiter|sprechen|reden|schreiben)|\W*$)",
    r"\b(?:rufen sie|ruft|ruf) (?:mich|uns)(?: \w+){0,3} (?:an|zurück)\b|\bbitte (?:um )?(?:einen )?rückruf\b|\bverbinde[nt]? sie mich\b|\bverbinde mich\b|\bmitarbeiter(?:in)? bitte\b|\bmensch bitte\b",
)
_NOT_A_HUMAN_REQUEST = _any(
    r"\bhuman (?:error|resources?|verification|readable|rights|hair|body|mistake|check|test)\b",
    r"\b(?:verify|verifying|prove|confirm|check|sure)(?: that)?(?: (?:i|you|we))?(?:'m|'re| am| are)?(?: a| not a)? (?:human|robot|real person)",
    r"\b(?:user|travel|estate|mail|mail transfer|transfer|cleaning|background|proxy|insurance) agents?\b",
    r"\b(?:i|we) (?:already )?(?:spoke|talked|have spoken|have talked|was speaking|chatted)\b",
    r"\b(?:habe|hatte|haben)\b[^.!?]{0,40}\b(?:gesprochen|telefoniert|geredet)\b",
    r"\b(?:password|account|task|file|window|package|download|boot|context|driver|print) manager\b",
    r"\bper person\b|\bin person\b|\bpro person\b|\bpersons? (?:can|per|table|tent|household)\b",
)

_FRUSTRATION = _any(
    r"\b(?:you|you people|you guys|this (?:bot|shop|company|service)|it)(?:'s|'re| are| is)(?: \w+){0,2} (?:hopeless|beyond belief|incompetent|shambles|unbelievable)\b|\bshambles\b|\b(?:had|have had) (?:it|enough)\b|\benough is enough\b",
    r"\b(?:i|could|makes me) (?:want to|wanna|could) (?:cry|scream)\b|\b(?:i(?:'ve| have)?|we(?:'ve| have)?) (?:already |now )?(?:wasted|lost|spent) (?:\w+ ){0,3}(?:hours?|days?|weeks?|evenings?|afternoons?|mornings?) (?:on|with) (?:this|it|you|your)\b",
    r"\b(?:(?:doch|wohl|echt|schlechter|das ist) ein witz|schlechter scherz|verlier(?:e|en|t)? (?:\w+ ){0,2}die geduld|die nase voll|die schnauze voll|zum verzweifeln|verzweifelt|am verzweifeln|zum heulen|unglaublich|das darf (?:doch )?nicht wahr sein|keine lust mehr|stinkt mir|kann doch nicht (?:wahr|euer ernst) sein|euer ernst)\b",
    r"\b(?:useless|ridiculous|pathetic|horrible|terrible|awful|unacceptable|appalling|disgrace(?:ful)?|disgusting|infuriating|frustrat(?:ed|ing)|fed up|sick (?:and tired )?of|tired of (?:this|waiting|asking|explaining)|annoy(?:ed|ing)|pissed|a joke|nightmare|outrageous|rubbish|garbage|nonsense|absurd|scam|rip-?off)\b",
    r"\b(?:wtf|ffs|omg|for (?:god|heaven|christ|crying|fuck|pete)(?:'?s)? ?(?:sake|out loud)|damn(?: it)?|bullshit|fuck\w*|crap|what the (?:hell|heck))\b",
    r"\b(?:i give up|giving up|i(?:'m| am) (?:so |really |very |extremely |beyond |getting )*(?:angry|mad|furious|upset|disappointed|annoyed|frustrated|livid|done|losing (?:my )?patience))\b|\blos(?:t|ing) (?:all |my )*patience\b",
    r"\b(?:worst|never (?:again|buy(?:ing)?|order(?:ing)?) (?:\w+ ){0,4}(?:you|here|again|company|shop|service|experience)|waste of (?:my )?(?:time|money)|wasted? (?:my|hours|days|so much|an hour))\b",
    r"\b(?:you(?:'re| are) not (?:helping|listening|reading)|that (?:doesn't|does not|didn't|did not) help(?: me)?(?: at all| one bit| either)?|no help at all|not helpful|unhelpful|did you even read|are you (?:even|kidding|serious|joking)|drives? me (?:mad|crazy|nuts|insane|up the wall)|driving me (?:mad|crazy|nuts|insane|up the wall))\b",
    r"\b(?:how (?:many|often) (?:more )?(?:times (?:do|must|have|should|more|am)|do i (?:have|need))|(?:third|fourth|fifth|tenth|hundredth|3rd|4th|5th|10th|umpteenth) time|over and over|for the (?:last|hundredth|millionth) time|still (?:no|nothing|waiting|not) (?:\w+ ){0,4}(?:after|since) (?:\w+ ){0,3}(?:weeks?|months?|days))\b",
    r"\b(?:unverschämt(?:heit)?|frechheit|unmöglich(?:er)? (?:service|laden|zustand)|lächerlich|katastroph\w*|saftladen|nutzlos|sinnlos|unfassbar|zum kotzen|nervt|nervig|genervt|frustrier\w*|ärgerlich|verärgert|stinksauer|sauer|wütend|enttäusch\w+|zumutung|sauerei|scheiß\w*|scheisse|verarschen|verarscht|mies(?:er|e)?|inakzeptabel|unterirdisch|nie wieder)\b",
    r"\b(?:ich geb(?:e)?(?: jetzt| langsam)? auf|das hilft (?:mir )?(?:nicht|überhaupt nicht|gar nicht|kein bisschen|null)|hilft mir (?:nicht|kein)\w*|zum (?:dritten|vierten|fünften|zehnten|hundertsten|x-ten|letzten|wiederholten) mal|wie oft (?:denn |muss |soll |noch )+|was soll (?:das|der mist|der quatsch)|geduld (?:ist )?(?:am ende|verloren|zu ende)|so ein (?:mist|quatsch|blödsinn)|reicht(?:'s| es) mir|mir reicht(?:'s| es)|reinste[rs]? \w+|verschwend\w+|zeitverschwendung)\b",
)
_NOT_FRUSTRATION = _any(
    r"\b(?:terrible|awful|horrible|miese[mnrs]?|furchtbare[mnrs]?) (?:storm|weather|rain|wind|wetter|sturm|regen)\b|\bbei mies(?:em|er) \w+\b",
    r"\bworst (?:temperature|case|weather|conditions?|time|road|terrain|day)\b",
    r"\b(?:tochter|sohn|kinder|kind|frau|mann|hund|freundin|freund|daughter|son|kids?|wife|husband|dog) (?:nerv|annoy|driv)\w*\b",
    r"\bnot? (?:really |very |too |at all )?(?:annoyed|angry|upset|frustrated|bad|terrible|a scam)\b|\bnicht (?:so |sehr |wirklich )?(?:schlimm|sauer|verärgert|enttäuscht)\b",
    r"\b(?:scam|rubbish|garbage|nonsense|junk|spam) (?:detection|filter|warning|mails?|e-?mails?|messages?|collection|bin|alert|call)s?\b|\b(?:report|block|about|as|possible) (?:a |an )?scam\b|\bsaure? (?:sahne|gurken|drops)\b",
    r"\bnever (?:disappointed|frustrat\w+)\b|\bnie enttäuscht\b",
)

_THANKS = _any(
    r"\b(?:thanks?|thank (?:you|u)|thx|ty|tysm|cheers|much appreciated|appreciate (?:it|your|the|that)|you(?:'re| are) (?:a (?:star|legend|lifesaver|hero)|the best|great|awesome))\b",
    r"\b(?:perfect|great|awesome|brilliant|excellent|wonderful|lovely|super)[!.,]",
    r"\b(?:danke|dankeschön|dank|merci|vielen dank|herzlichen dank|besten dank)\b",
)
_SOLVED = _any(
    r"\b(?:solved|fixed|sorted(?: it| now| out)?|resolved|(?:it|that|this|everything|all) (?:now )?(?:works|worked|is working|did (?:it|the (?:trick|job)))(?: now| again| perfectly| fine| great| for me)?|works (?:now|again|perfectly|fine|great|like a charm)|(?:found|got) it(?: now)?|that (?:helped|helps|was it|did it|does it|answers))\b",
    r"\b(?:gelöst|erledigt|geklappt|funktioniert (?:jetzt|wieder|nun|es jetzt|es wieder|einwandfrei|prima|super)|(?:jetzt|nun) (?:geht|funktioniert|läuft|klappt)(?: es|'s| alles)?|(?:hat|das hat) (?:\w+ )?geholfen|geht wieder|klappt (?:jetzt|wieder|nun|prima)|alles klar|passt(?: so)?[!.]|(?:super|prima|perfekt|klasse|toll|top|spitze)[!.,])",
)
_NOT_THANKS = _any(
    r"\b(?:thanks|thank you|thx|many thanks|danke|vielen dank|besten dank|herzlichen dank|dank)(?: \w+){0,2} (?:in advance|im voraus|vorab)\b|\b(?:im voraus|vorab)(?: \w+){0,2} (?:danke|vielen dank|besten dank)\b",
    r"\b(?:no thanks|no thank you|nein,? danke|thanks for nothing|danke für (?:nichts|gar nichts)|thanks but|thanks,? but|thank you,? but|danke,? aber|no thanks to|thanks to (?:your|the|this)|dank (?:ihre[rms]?|eure[rms]?|des|der|dem))\b",
    r"\b(?:not|isn't|wasn't|never|hasn't been|un|haven't|nothing(?:'s| is)?|still (?:not|isn't|unsolved)) (?:been |yet |really |got )*(?:solved|fixed|sorted|resolved|helped)\b|\bnicht (?:gelöst|erledigt|geklappt|geholfen)\b|\bkein(?:e|en)? dank\b",
    r"\b(?:can|could|will|when|how|want|need|please|get|to be|be|should|to get) (?:\w+ ){0,4}(?:this |it |that )?(?:solved|fixed|sorted|resolved)\b|\b(?:is|are|was) (?:this|it|that) (?:solved|fixed|resolved)\b",
    r"\b(?:it|that|this|everything) (?:worked|works|did it) (?:until|before|yesterday|last|on my|only|but|for (?:years|months|a)|once|fine (?:until|before|in|on|for|last))\b|\b(?:would be|sounds|not so|not that|was|looks|sure is|just) (?:great|perfect|awesome|brilliant|wonderful)[!.,]",
)

_REPHRASING = _any(
    r"\bi (?:was asking|asked|am asking|'m asking|want to know) (?:where|how|when|what|whether|if|why|about|for)\b|^\W*no[.,!:]? i (?:want|need|mean|asked|said|would like)\b",
    r"\bich (?:habe|hatte|hab) (?:doch |eben |ja )?gefragt\b|\bmeine frage (?:war|ist|lautet)\b|^\W*nein[.,!:]? ich (?:will|möchte|brauche|meine|wollte)\b",
    r"\b(?:i mean|i meant|what i mean(?:t)?|as i (?:said|wrote|mentioned|explained)|like i (?:said|wrote|told)|i (?:already|just) (?:said|told|explained|wrote|asked|did that|tried that|mentioned)|i(?:'ve| have) (?:already |just )?(?:said|told you|explained|asked)|that(?:'s| is| was)? not (?:what i (?:asked|meant|mean|want(?:ed)?|said|need(?:ed)?)|my (?:question|problem|issue|point)|the (?:question|point|problem))|doesn't answer|didn't answer|not answer(?:ing)? my|let me (?:rephrase|try again|explain|put it|repeat|be clear(?:er)?|say it)|to (?:rephrase|repeat|clarify)|in other words|once (?:more|again)[:,]|again[:,]|(?:ask|asking|try|trying|repeat|say|explain)(?:ing)? (?:you |it |this |that |myself )?(?:again|once more)|wrong (?:answer|topic|question)|you (?:misunderstood|don't understand|did not understand|didn't understand|misread)|no, (?:i|my|the|not|that|it)\b|my (?:question|actual question|real question) (?:is|was))",
    r"\b(?:ich meine(?= (?:damit|nicht|nur|eigentlich|die|den|das|doch|natürlich|ja)\b|[,:])|ich meinte|gemeint|wie gesagt|wie ich (?:schon |bereits |eben |oben )*(?:schrieb|sagte|geschrieben|gesagt|erwähnt)|das war nicht (?:meine|die) frage|das ist nicht (?:meine|die) frage|(?:nicht|keine antwort auf) (?:meine|die) frage|(?:habe|hab) ich (?:doch |schon |bereits |ja |eben )+(?:gesagt|geschrieben|gemacht|probiert|versucht|erklärt)|(?:schon|bereits|doch|eben) (?:gesagt|geschrieben|erwähnt|gefragt|erklärt)|noch ?mal[:,]|nochmals|noch einmal|anders (?:gesagt|formuliert|gefragt|ausgedrückt)|falsch verstanden|nicht verstanden|missverstanden|(?:das )?(?:wollte|suche|meine|meinte|brauche|will|frage) ich (?:gar |doch )?nicht|falsche antwort|meine (?:eigentliche )?frage (?:ist|war|lautet)|nein, (?:ich|mein|das|es|nicht))",
)

_FALLBACK = _any(
    r"\b(?:not something|nothing) i (?:can|could|am able to|know how to) (?:help|answer|assist)\b|\bi (?:don't|do not) (?:\w+ )?(?:have|know) (?:any|enough|an?y?) ?(?:information|details|answer|article)\w*\b|\bi(?:'m| am) not (?:sure|certain) (?:that )?i (?:\w+ )?understand\b",
    r"\b(?:i )?(?:was|am|'m) (?:unable|not able) to (?:find|understand|answer|locate|help)\b|\bno results? (?:for|found|matched)\b|\bnothing (?:matched|matches|came up)\b",
    r"\b(?:dazu|hierzu|darüber) (?:habe|finde|weiß) ich (?:leider )?(?:keine|nichts|keinen)\b|\b(?:konnte|kann) ich (?:leider )?(?:nichts|keine \w+|keinen \w+) (?:\w+ )?(?:finden|sagen)\b|\b(?:anders|mit anderen worten) (?:ausdrücken|sagen|fragen|stellen)\b",
    r"\b(?:sorry|unfortunately|apologi[sz]e|i'm afraid)\b[^.!?]{0,40}\b(?:(?:could ?n[o']t|can(?:no|')t|did ?n[o']t|do ?n[o']t|unable to|not able to|not sure)(?: (?:quite|really|fully))? (?:find|get|understand|help|catch|answer|know|follow|have an answer|sure)|no (?:answer|result|match)|not sure (?:i|what|how))",
    r"\b(?:i (?:don't|do not|didn't|did not|couldn't|could not|can't|cannot)(?: (?:quite|really|fully))? (?:understand|get that|find (?:an answer|anything|any article|a match)|have an answer|know the answer|catch that|answer (?:that|this)))\b",
    r"\b(?:(?:could|can) you (?:please )?(?:rephrase|reword|try (?:again|asking|other words|different words))|please (?:rephrase|reword|try (?:rephrasing|again with|different words))|try (?:rephrasing|different words|asking (?:it |that )?(?:differently|in other words)))\b",
    r"\b(?:keine (?:passende |gute )?(?:antwort|lösung|treffer|artikel)(?: \w+){0,3} (?:gefunden|finden|parat)|(?:leider )?nicht (?:ganz |richtig )?verstanden|(?:das )?(?:weiß|verstehe) ich (?:leider )?nicht|kann ich (?:leider )?nicht beantworten|(?:anders|neu) formulieren|umformulieren|da(?:zu|bei) kann ich (?:leider |ihnen |dir )*nicht(?:s)? (?:weiter)?(?:helfen|sagen|finden)|nichts (?:dazu |passendes )+(?:gefunden|finden))\b",
)

_DID = r"(?:cancel(?:l?ed)|refunded|deleted|removed|closed|credited|reset|unlocked|re-?activated|de-?activated|unblocked|updated|changed|corrected|adjusted|merged|transferred|upgraded|downgraded|terminated|reversed|waived|re-?issued|extended|verified|approved|granted|escalated|booked|re-?sent|re-?ordered|replaced|restored|reinstated|lifted|released|arranged|amended|processed|charged back|voided|disabled|enabled|re-?routed|re-?scheduled)"
_TAT = r"(?:storniert|gekündigt|erstattet|zurückerstattet|gelöscht|geschlossen|gutgeschrieben|zurückgesetzt|entsperrt|freigeschaltet|freigegeben|deaktiviert|reaktiviert|aktiviert|geändert|korrigiert|angepasst|zusammengeführt|übertragen|umgebucht|verlängert|verifiziert|genehmigt|weitergeleitet|eskaliert|veranlasst|ausgestellt|erlassen|hinterlegt|wiederhergestellt|aufgehoben|überwiesen|angewiesen|umgestellt|eingetragen|ausgetragen|eingeleitet|angestoßen|beauftragt|verlegt|abgemeldet|nachgesendet|gebucht)"
_ACCOUNT_ACTION = _any(
    r"\b(?:i|we|i've|we've|i have|we have|i had|i just|i've just|i have just|i have now|i've now|i went ahead and|my colleague(?: has)?|our (?:\w+ )?team (?:has|have)|the (?:\w+ )?(?:team|department) has)(?: (?:now|just|already|also|manually|gone ahead and|today|had to|to|have|been able to|managed to|personally))* "
    + _DID
    + r"\b(?! (?:that|this|the) (?:bug|article|page|problem) (?:in|last|with))(?=[^.!?]{0,80}\b(?:you|your|yours|the (?:account|order|subscription|refund|payment|invoice|booking|fee|contract|charge|ticket|case|delivery|return|membership|amount|block|limit)|that for|it for|it manually|it on our)\b)",
    r"\b(?:your|the) (?:account|order|subscription|refund|payment|invoice|address|booking|contract|membership|plan|profile|access|charge|fee|card|data|delivery|return|credit)(?: \w+){0,3} (?:has|have|is|was|were)(?: now| just| already)? been(?: now| successfully| manually)? "
    + _DID
    + r"\b",
    r"\b(?:on our (?:end|side)|in our (?:system|back ?end|back office|database|admin)|from our side)\b(?=[^.!?]{0,80}\b(?:"
    + _DID[3:-1]
    + r"|done|set)\b)",
    r"\b"
    + _DID
    + r"(?: \w+){0,6} (?:on our (?:end|side)|in our (?:system|database|back ?end)|from our side|for you)\b",
    r"\bfor (?:security|privacy|data protection|legal|safety) reasons\b|\b(?:only|just) (?:we|our (?:\w+ )?(?:team|staff|colleagues|agents)|an? (?:agent|admin(?:istrator)?|colleague|employee)) (?:can|may|could|is able to|are able to|am able to)\b|\byou (?:can't|cannot|can not|won't be able to) (?:do|change|cancel|delete|reset|edit) (?:this|that|it)(?: \w+){0,2} yourself\b|\b(?:i|we|i've|we've|i'll|we'll)(?: (?:have|had|need|must|will|first|to|now))* (?:verif(?:y|ied)|confirm(?:ed)?|check(?:ed)?) your (?:identity|id|personal details)\b",
    r"\b(?:escalated|forwarded|passed|handed|raised|sent|referred)(?: (?:this|it|your \w+|the \w+|that))*(?: on| over| along)? (?:to|with) (?:our|the|my|a) (?:[\w-]+ ){0,3}(?:team|department|colleagues?|specialists?|engineers?|accounting|billing|finance|warehouse|carrier|supervisor|manager|back office|developers?)\b",
    r"\b(?:ich|wir)(?: \w+){0,3} (?:habe|haben|hab)\b[^.!?]{0,90}\b"
    + _TAT
    + r"\b|\b(?:habe|haben|hab) (?:ich|wir)\b[^.!?]{0,90}\b"
    + _TAT
    + r"\b|\b(?:ich|wir) (?:habe|haben|hab)\b[^.!?]{0,90}\b"
    + _TAT
    + r"\b",
    r"\b(?:ihr|ihre|ihren|dein|deine|die|das|der) (?:konto|bestellung|abo|abonnement|vertrag|erstattung|zahlung|rechnung|adresse|buchung|zugang|profil|daten|gutschrift|betrag|lieferadresse|passwort|sperre)(?: \w+){0,4} (?:wurden?|ist|sind|worden)(?: \w+){0,4} "
    + _TAT,
    r"\baus (?:sicherheits|datenschutz|rechtlichen )-?(?:gründen|rechtlichen gründen)\b|\baus datenschutzrechtlichen gründen\b|\b(?:das|dies) (?:können|kann|dürfen) (?:leider )?nur (?:wir|unser\w*|ein\w? (?:mitarbeiter\w*|kolleg\w+))\b|\b(?:nur|ausschließlich) (?:von )?(?:uns|unser\w* \w+|ein\w* mitarbeiter\w*) (?:manuell |intern )?(?:geändert|erledigt|gelöscht|durchgeführt|vorgenommen)|\bbei uns im system\b|\bmanuell (?:"
    + _TAT[3:-1]
    + r")\b",
    r"\b(?:an|ins|in) (?:unser\w*|die|das|den|meine) (?:\w+ )?(?:[\w-]*abteilung|[\w-]*team|buchhaltung|kolleg\w+|lager|technik|spezialist\w*|fachabteilung|vorgesetzt\w+)(?: \w+){0,3} (?:weitergeleitet|übergeben|eskaliert|weitergegeben|abgegeben)\b",
)

_POLICY_HANDOVER = _any(
    r"\b(?:only|just) (?:our|the|a|an) (?:\w+ )?(?:staff|team|agents?|colleagues?|specialists?|department|people) (?:may|can|is allowed to|are allowed to|must)\b",
    r"\b(?:have|has|need|needs|must) (?:to )?be (?:handled|dealt with|done|checked|decided|reviewed|approved|processed) by (?:a |an |our |one of our )?(?:human|person|agent|colleague|team|staff|specialist|member)\w*\b",
    r"\b(?:da|dafür|hier|hierfür|das|dies|ihre anfrage|sie)? ?(?:muss|darf|kann) (?:ich )?(?:sie |es |das |dies |nur )*(?:an |von )?(?:eine[rn]? |unser\w* |nur )*(?:kolleg\w+|team|fachabteilung|mitarbeiter\w*|abteilung) (?:\w+ )?(?:übergeben|weiterleiten|weitergeben|verweisen|bearbeite\w*|entscheide\w*|klären|prüfen|ändern)\b|\b(?:das|dies) darf nur (?:unser|ein|eine)\b",
    r"\b(?:i(?:'ll| will| am going to|'m going to| can| have to| need to| must)|we(?:'ll| will)|let me|i'm|i am)(?: now| just| gladly| happily)? (?:connect|transfer|hand|pass|forward|put|escalat|rout|direct|refer)(?:e|ing|ting|ring)?(?: (?:you|this|it|your (?:\w+ ?){1,2}|the conversation|the chat))*(?: (?:over|on|through|along|straight|directly))*(?: (?:to|with)) ",
    r"\b(?:connecting|transferring|handing|passing|forwarding|routing) (?:you|this|your \w+)(?: (?:over|on|through|now|along))* (?:to|with)\b",
    r"\b(?:a|an|one of our|our|someone from (?:our|the)|somebody from (?:our|the)) (?:human )?(?:\w+ )?(?:colleagues?|agents?|team(?: mates?)?|specialists?|advis[eo]rs?|representatives?|experts?|staff|members? of (?:our|the) team|team members?|person|human|teammates?|experts)(?: from \w+)? (?:will|is going to|can|has to|needs to|must|should|would)(?: \w+){0,2} (?:help|take|get|contact|reach|assist|look|call|reply|respond|be (?:with|in touch)|handle|review|check|join|follow|decide|do|process|answer|continue|pick)\b",
    r"\b(?:th(?:is|at|ese)(?: (?:kind|sort|type) of)?|such (?:requests?|cases?|matters?))(?: (?:request|case|topic|matter|question)s?)? (?:can only be|must be|has to be|have to be|needs? to be|is|are)(?: always)? (?:handled|dealt with|answered|processed|reviewed|done|decided|approved|checked)(?: only| manually| personally| always)? by (?:a |an |our |one of our |the )?",
    r"\b(?:i(?:'m| am) not (?:allowed|permitted|authori[sz]ed)|i(?:'m| am) unable to (?:discuss|access|change)|i (?:can't|cannot|may not) (?:discuss|access|make changes|process|do this|give (?:legal|medical)))\b",
    r"\b(?:ich|wir) (?:verbinde|leite|übergebe|gebe|stelle|reiche|verbinden|leiten|übergeben|geben)\b[^.!?]{0,60}\b(?:mit (?:einem|einer|unser\w*|dem)|an (?:eine[nr]?|unser\w*|die|den|meine\w?)|weiter|durch|zu)\b",
    r"\b(?:ein|eine|einer|unser|unsere|jemand)(?: \w+){0,3}? (?:mitarbeiter(?:in)?|kolleg(?:e|in|en|innen)|team|berater(?:in)?|spezialist(?:in)?|fachabteilung|experten?|expertin|kundenservice|unserem team|aus dem team|aus unserem \w+)(?: \w+){0,3} (?:wird|werden|meldet|melden|kümmert|kümmern|übernimmt|übernehmen|hilft|prüft|ist gleich|schaut|ruft|kontaktiert|bearbeitet|antwortet)\b|\b(?:wird|meldet|kümmert|übernimmt|hilft)(?: \w+){0,5} (?:ein|eine|einer|unser|unsere)(?: \w+){0,2} (?:mitarbeiter(?:in)?|kolleg(?:e|in|en|innen)|team|berater(?:in)?|spezialist(?:in)?|kundenservice)\b",
    r"\b(?:das|dies|solche \w+|diese \w+) (?:darf|dürfen|kann|können|muss|müssen) (?:ich |nur |leider |immer |ausschließlich )*(?:nur |nicht |von |durch )*(?:ein\w* |unser\w* )?(?:mensch\w*|mitarbeiter\w*|kolleg\w+|team|selbst entscheiden|ändern|bearbeiten|entscheiden)\b|\bich darf (?:leider )?(?:keine|das nicht|dazu keine|hierzu keine)\b",
)

HUMAN_REQUEST = Phrases(
    (
        "staff", "persons",
        "human", "person", "boss", "people", "someone", "somebody", "anyone", "anybody", "agent", "rep", "advis", "operator",
        "staff", "employee", "worker", "member", "specialist", "consultant", "supervisor", "manager", "colleague",
        "customer", "live ", "support", "team", "man or", "bot", "machine", "computer", "nobody", "call", "phone",
        "ring", "mensch", "mitarbeiter", "jemand", "kolleg", "kund", "berater", "bearbeiter", "ansprech", "vorgesetzt",
        "rückruf", "ruf", "verbind", "maschine", "automat", " ai",
    ),
    _HUMAN_REQUEST,
    _NOT_A_HUMAN_REQUEST,
)  # fmt: skip
FRUSTRATION = Phrases(
    (
        "hopeless", "belie", "incompet", "shambles", "enough", "had it", "want to", "could", "witz", "scherz", "nase voll", "schnauze", "verzweif", "heulen", "unglaub", "nicht wahr", "keine lust", "stinkt", "ernst", "lost", "spent",
        "useless", "ridicul", "pathetic", "horribl", "terribl", "awful", "accept", "appall", "disgrac", "disgust",
        "infuriat", "frustr", "fed up", "sick", "tired", "annoy", "piss", "a joke", "nightmare", "outrag", "rubbish",
        "garbage", "nonsense", "absurd", "scam", "rip-off", "ripoff", "wtf", "ffs", "omg", "sake", "out loud", "damn",
        "bullshit", "fuck", "crap", "what the h", "give up", "giving up", "angry", " mad", "furious", "upset",
        "disappoint", "livid", "patience", "worst", "never ", "waste", "helping", "listening", "not reading", "help me",
        "no help", "not help", "n't help", "unhelpful", "did you even", "are you ", "crazy", "nuts", "insane",
        "the wall", "many times", "many more", "often", "th time", "rd time", "last time", "over and over", "still ", "unverschämt", "frech",
        "unmöglich", "lächerlich", "katastroph", "saftladen", "nutzlos", "sinnlos", "unfassbar", "kotzen", "nerv",
        "ärger", "sauer", "wütend", "enttäusch", "zumutung", "sauerei", "schei", "verarsch", "mies", "inakzept",
        "unterirdisch", "nie wieder", "ich geb", "hilft ", "en mal", "wie oft", "was soll", "geduld", "mist", "quatsch",
        "blödsinn", "reicht", "reinste", "verschwend", "done",
    ),
    _FRUSTRATION,
    _NOT_FRUSTRATION,
)  # fmt: skip
THANKS = Phrases(
    (
        "thank", "thx", "ty", "cheers", "appreciat", "you're", "you are", "perfect", "great", "awesome", "brilliant",
        "excellent", "wonderful", "lovely", "super", "dank", "merci",
    ),
    _THANKS,
    _NOT_THANKS,
)  # fmt: skip
SOLVED = Phrases(
    (
        "solve", "fixed", "sorted", "work", "did", "does", "found", "got it", "help", "that was", "that answers",
        "gelöst", "erledigt", "klappt", "funktioniert", "jetzt", "nun", "geholfen", "geht wieder", "alles klar",
        "passt", "super", "prima", "perfekt", "klasse", "toll", "top", "spitze",
    ),
    _SOLVED,
    _NOT_THANKS,
)  # fmt: skip
REPHRASING = Phrases(
    (
        "ask", "gefragt", "want", "nein", "no.",
        "mean", "as i", "like i", "i already", "i just", "i've", "i have", "not ", "n't", "let me", "rephras", "repeat",
        "clarify", "in other words", "once", "again", "wrong", "misunderst", "misread", "no, ", "question is",
        "question was", "meine", "gemeint", "gesagt", "wie ich", "frage", "ich ", "schon", "bereits", "doch", "eben",
        "nochmal", "noch mal", "nochmals", "noch einmal", "anders", "falsch", "verstanden", "nein, ",
    ),
    _REPHRASING,
)  # fmt: skip
FALLBACK = Phrases(
    (
        "something", "nothing", "not sure", "not certain", "unable", "not able", "no result", "dazu", "hierzu", "darüber", "anders", "anderen", "konnte", "kann ich", "don't have", "not have", "don't know",
        "sorry", "unfortunately", "apolog", "afraid", "understand", "get that", "find", "answer", "catch", "rephras",
        "reword", "different words", "differently", "other words", "again", "keine ", "nicht", "formulier", "nichts",
    ),
    _FALLBACK,
)  # fmt: skip
ACCOUNT_ACTION = Phrases(
    (
        "cancel", "refund", "delet", "remov", "clos", "credit", "reset", "lock", "activat", "updat", "chang", "correct",
        "adjust", "merg", "transfer", "grad", "terminat", "revers", "waiv", "issued", "extend", "verif", "approv",
        "grant", "escalat", "book", "sent", "order", "replac", "restor", "instat", "lift", "releas", "arrang", "amend",
        "process", "charge", "void", "abled", "routed", "schedul", "end", "side", "system", "database", "back", "reasons",
        "only", "just", "yourself", "identity", "id", "details", "forward", "pass", "hand", "rais", "refer", "habe",
        "haben", "hab ", "wurde", "ist ", "sind ", "worden", "gründen", "nur ", "ausschließlich", "manuell", "geleitet",
        "übergeben", "eskaliert", "gegeben",
    ),
    _ACCOUNT_ACTION,
)  # fmt: skip
POLICY_HANDOVER = Phrases(
    (
        "only", "just", "handled", "dealt", "done", "checked", "decided", "reviewed", "approved", "processed", "team",
        "connect", "transfer", "hand", "pass", "forward", "put", "escalat", "rout", "direct", "refer", "colleague",
        "agent", "team", "specialist", "advis", "representative", "expert", "staff", "member", "person", "human", "must",
        "be ", "by ", "not allowed", "permitted", "authori", "unable", "can't", "cannot", "may not", "verbind", "leite",
        "übergeb", "gebe", "stell", "reiche", "mitarbeiter", "kolleg", "berater", "spezialist", "abteilung", "expert",
        "kundenservice", "darf", "dürfen", "kann", "können", "muss", "müssen", "mensch",
    ),
    _POLICY_HANDOVER,
)  # fmt: skip
