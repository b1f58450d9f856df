"""What the finder of names knows of words, all in lower case."""

from __future__ import annotations

from importlib import resources

from lacuna.models.redaction.labels import words_in

__all__ = [
    "ALSO_WORDS",
    "CLEAR_NAMES",
    "FIRST_NAMES",
    "NEVER_NAMES",
    "NOT_ALONE",
    "NO_FIRST_WORDS",
    "NO_SURNAMES",
    "ROLE_MAILBOXES",
]

CLEAR_NAMES = frozenset(
    resources.files("lacuna.models.redaction.vocabulary")
    .joinpath("first_names.txt")
    .read_text(encoding="utf-8")
    .split()
)
"""First names that are nothing else in any of the seven languages, not even in small letters.

What the locales of Faker and Mimesis have in common or in several countries, and the most given names of India, Africa,
the Arab world and Brazil; without what a dictionary of the seven languages has as a word, without larger towns, and
without brands."""

FIRST_NAMES = (
    CLEAR_NAMES
    | words_in("first_names")
    | frozenset(
        """
aaron abigail adam adrian ahmed aisha alan albert alejandro alex alexander alexandra alice alicia alina alison amanda
amelia amir amy ana anastasia andrea andreas andrew angela angelika anika anita anja ann anna anne annette annika
anthony antje anton antonio arjun arthur ashley astrid ayşe barbara bastian beate beatrice ben benjamin bernd bernhard
beth bettina bianca birgit björn brandon brenda brian brigitte bruce bruno camilla carina carl carla carlos carmen
carol caroline catherine charles charlie charlotte chloe chris christa christian christina christine christoph
christopher claire clara claudia colin connor cornelia craig cynthia dagmar daniel daniela david deborah denise dennis
derek diana dieter dirk dominik donald donna doris dorothy douglas dylan ed eddie edith edward elena elias elisabeth
elizabeth elke ella ellen emil emilia emily emma eric erica erik erika ernst esther ethan eva evelyn fabian fatima
felix fiona florian frances francesca franziska frauke fred frederick friedrich gabriel gabriele gareth gary george
gerald gerd gerhard gina giovanni gisela gordon grace graham greg gregory greta gudrun günter günther hannah hannes
hans harald harry hassan heather heidi heike heinrich heinz helen helena helga helmut henrik henry herbert hermann
holger horst howard ian ibrahim ines ingo ingrid irene iris isabel isabella ivan jack jacob jacqueline jakob james
jamie jan jana jane janet janina jasmin jason jean jeff jeffrey jennifer jens jeremy jessica jill jim joachim joan
joanna jochen joe joel johanna johannes john johnny jonas jonathan jordan jose josef joseph joshua joyce juan judith
judy julia julian juliane justin jörg jürgen karen karin karl karla karsten katharina katherine kathleen kathrin katja
katrin keith kelly ken kenneth kerstin kevin kim kirsten klaus konrad konstantin kristin kurt kyle lara larry lars
laura lauren lea lena leo leon leonie lewis liam lina linda lisa logan louis louise luca lucas lucia lucy luis luisa
lukas lutz lydia madison maike malte manfred manuel manuela marc marcel marco marcus margaret maria marie marina mario
marion markus marlene marta martha martin martina mary mathias matteo matthew matthias maximilian megan mehmet melanie
melissa michael michaela michelle miguel mike mila mohamed mohammed monica monika moritz nadine nadja nancy naomi
natalie natasha nathan neil nicholas nick nico nicole niklas nils nina noah nora norbert oliver olivia omar oscar otto
pamela patricia patrick paul paula pedro peggy peter petra philip philipp phillip pia pierre priya rachel rainer ralf
ralph ramona raphael rebecca regina reinhard renate richard rita robert roberto robin roger roland ronald rosa
rosemary roy rudolf russell ruth ryan rüdiger sabine sabrina sally sam samantha samuel sandra sara sarah sascha scott
sean sebastian sergio sharon shaun sheila shirley silke silvia simon simone sofia sonja sophia sophie stacy stefan
stefanie stefano stella stephan stephanie stephen steve steven stuart sue susan susanne suzanne sven svenja sylvia
tamara tania tanja tara taylor teresa theresa thomas thorsten tim timo tina tobias todd tom tony torsten tracy trevor
udo ulrich ulrike ursula ute uwe vanessa vera verena veronica veronika victor victoria viktor viktoria vincent volker
walter wendy werner wilfried wilhelm william wolfgang xavier yasmin yusuf yvonne zachary zoe
""".split()
    )
)
"""First names: those above, and those common among the customers of shops in seven languages. They let a name be read
where its place says too little: before a surname, in the middle of a sentence."""

ALSO_WORDS = frozenset(
    """
allen april art august baker bank bill brown bush carter chase christian cook dean drew ella faith frank grace grant green
guy hope iris jack jan jordan joy jung king klein koch lang lee long madison mark mason max may miles page park pierce
price ray rich richter rob rose ruby sky smart solange star sue summer ted victoria weiss weiß white will wolf wood young
""".split()
)
"""Names that are words too: they go where a sentence shows a name ("Hi Mark,"), and stay elsewhere ("mark as read")."""

NOT_ALONE = ALSO_WORDS | frozenset(
    """
adelaide alba amparo angelica angelo armando augusta augusto aurora aurore axel baptiste belén benedetta benedetto bento
bianca bruna bruno caio capucine carol carolina casper charlotte chiara chloe claire clara claude clémence clément colleen
cristiana cristiano domingos donato donna ed edite elke els emilia erin ernst ester fanny fiona floris fritz gaia gema gemma georgia germana
gil gloria graça guadalupe heather hermine honoré hugo isla jacinto jade jean julia julio kelly lea len leon lia lieven linda logan
lorena lotte lourdes lucia macarena madison mara manuel marc margarida margherita marina massimo maxime mees mila montserrat máximo nacho nancy
nelson nick oscar orlando otto paco paloma pascal pascale pia pilar pina regina rik robin romain romano rosa rosario rosemary
rosie rowan régis sally salvador salvatore santiago serena serge sofia stella tara taylor tomé traute tyler valentin
valeria vasco vera virginia virginie vito vittoria vitória wendy wout
""".split()
)
"""First names that are words, places or products too, also with a capital: by themselves, they are no names."""

NEVER_NAMES = frozenset(
    """
a abend abends aber abgelehnt able abo about abraço absolut absolutely accepted account ach actually added address
admin adresse advance africa african after afternoon again agent ago ah aide aiuto ajuda albanian alexa all alle
allerdings alles already alright als also alte alten alter alternatively although always am amazing america american
amicalement an and andere anderen anders android anfang anfrage angeblich angebot angekommen ankunft anlage another
anscheinend ansicht antwort any anybody anyhow anyone anyway app apple appreciate appreciated arabic arbeit are aren
around artikel as asap asian assistant at atentamente attached auch auf aufgrund auftrag aus australia australian
austria austrian automatisch außerdem available away awesome ayuda back backup bad bald bearbeitung because bedankt
been before bei beide beim being bekannt bekommen belgian belgium below bereits bescheid besides besitzer best beste
bestellt bestellung bester betrag betreff betrug bezahlt bezüglich bg bin bis bisher bist bitte bixby bleibt blessings
blind bosnian bot both box br brauche brazil brazilian brilliant britain british bro brother browser bräuchte btw
buddy bulgarian but button by bye bzw came can canada canadian cancel cancelled card careful case catholic cause ceo
certificate changed charge chat check cheers chef chief china chinese click closed code colleague colleagues come
community company computer confirmed confused contact cool cordialement cordially correct correctly cortana could
crazy croatian cumprimentos current currently customer customers czech da dabei dadurch dafür dagegen daher daily
damals damen damit damn danish danke dann daran darauf darum darüber das dass date davon day days dazu dead deaf deal
dear december default defekt dein deine dekuji deleted delivery dem den denmark denn dept der derzeit des deshalb
desktop detail details deutsch deutsche deutschen deutschland dezember dich did die dienstag dies diese diesem diesen
dieser dieses difference different dir disabled displayed divorced do doch does doesn done donnerstag dort download dr
dringend driver du dude due durch durcheinander during dutch dziekuje dziękuję díky děkuji each ebenfalls ebenso echt
edit edited egal egyptian eigentlich eilt ein eine einem einen einer eines einfach einige einmal einverstanden either
else email emails empfänger end ende endlich england english enjoy entschuldigung entweder er erhalten erledigt erneut
error errors ersatz erst erste ersten es etc etwa etwas eu euch euer eure euren europe european even evening ever
every everybody everyhting everyone everything exactly example excellent except expert experte experts facebook fall
falls falsch familie fantastic faq fast fault februar february fehler fehlt fellow fellows female fertig few file
files filipino finally fine finland finnish firefox firma first firstname fixed folgendes folk folks follow following
fonts footnotes for forum found frage fragen france frankreich frau free freitag french freunde friday friend friends
frist from früher full fullname fully funktioniert fwiw fyi für gang ganz gar garantie geben gebraucht gefunden gegen
gehen geht gekauft gekommen geld gelöscht gelöst gemacht gemini genau genauso general gentlemen gents genug gerade
german germany gern gerne geschickt gesendet gesperrt gestern gesucht get gets getting geändert ghanaian gibt give
glad glaube gleich glück gmail go going gone good goodafternoon goodmorning google got gott gracias grazie great greek
greet greeting greetings groeten groetjes groß große gruppe gruss gruß größe grüsse grüssen grüß grüße grüßen guck
guest gut gute guten guter guys hab habe haben had half hallo happy hardly has hasn hast hat hated hatte have haven
having he heißt hello help helpdesk her herr herren herrn hers herself heute hey hi hier higher hilfe hilsen him
himself hin hinweis his hiya hm hmm hoffe hoffentlich holiday home hopefully hotline hours house how howdy however hr
hth huawei huge hungarian hvala hälsningar hätte i icelandic ich id if ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres
image immer imo important impossible in inbox incorrect india indian indonesian info information informationen inhaber
inhalt initial initials instagram instead into invalid iphone iranian iraqi ireland irgendwie irish is isn israeli
issue ist it italian italien italy item its itself ja januar january japan japanese jede jeden jedenfalls jeder jedoch
jemand jetzt jewish joke juli july june juni just kann kannst kaputt karte kauf kaum keep kein keine keinen keiner
kenyan kids kiitos kind kindly klappt klar klasse know kollege kollegen kolleginnen komisch komme kommt konnte konto
korean kosten kr kunde kunden kundendienst kundenservice kundin können könnte könnten köszönöm laden ladies lads lady
lange langsam last lastname late later latest laut least left leider less let letzte letzten letzter leute lg liebe
lieben lieber liebes lieferung liegt like likely link linux listed little local lol looking lord los lost lots love
loved lucky lösung mac mach mache macht madam made mail mailbox make makes mal male mama man manager manchmal many
march married mate mates maybe me meanwhile mein meine meinem meinen meiner member menge menschen merci mercie merry
message mexican mexico mfg mich microsoft mine minutes mir misprinted miss missing misspelled mistake mit mitarbeiter
mitarbeiterin mitglied mittwoch mobile moderator moderators mods moin moment monday montag more morgen morgens morning
moroccan most moved mozilla mr mrs ms much mulțumesc muslim muss musste must mvh my myself märz möchte möglich müssen
na nach nachname nachnamen nachricht nachts name namen natürlich nb neben nee need needed nein neither netherlands neu
neue neuen neuer never new newbie next nice nicht nie niemand nigerian night nil no nobody noch nochmal nochmals none
noob nope normal normally norway norwegian not note noted nothing november now number numbers nummer nun nur nutzer ob
obrigada obrigado obviously obwohl october oder of off offen office offline oft often oh ohne ok okay oktober old on
once one online only onto oops open operator option or order ordered orders other others otherwise our ours ourselves
out outlook outside over own paket pakistani pal papa parcel part passt password past pathetic patience payment paypal
pc peace pensioner people per perfect perfectly perfekt person phone pic pics picture platform please pleased plus
plötzlich pm poland polen polish portugal portuguese possible post pozdrawiam pozdrowienia pregnant preis previous
prima printed prior private problem problemlos product produkt prof profile programs properly ps puzzled pünktlich
question quick quite quote rabatt rather ready really received recently rechnung refund regard regarding regards
reklamation related release reminder removed rentner repeat replace replied reply report representative request
required resolved respectfully restored result retired retoure return returned returns rgds richtig richtige
ridiculous right robot romanian russian rückmeldung rücksendung sache sachen saludos salutations saluti same samstag
samsung saturday sauer saved saygılar says schade scheinbar schnell schnelle schon schreiben schuld schule schweiz
schweizer schön schöne schönen schönes scotland scottish screen screenshot second seems seen sehr sei seid sein seine
seinen seit selbe selber selbst seller send sende sending sendung sent september serbian server service settings
several shall she shop should show shown shows sich sicher sie siehe sign signed simple simply since sincerely sind
single sir siri sirs size skip slovak slow small so sofort sogar soll sollte solved some somebody someone something
sometimes somewhat sondern sonntag sonst soon sorry sort soweit sowie spain spam spanien spanish speed spelled
spelling später staff start started statt status stay stelle still stimmt stop store stornierung student studentin
stuff stupid subject such sunday super supplier support supporters sure surely surname svp sweden swedish swiss
switzerland system tack tag tage tagen tak take taken takk talk team teams tech technical tell terms terrible
tesekkurler test testing text teşekkürler thai than thank thank's thankful thanks thankyou thanx that the their them
themselves then there therefore these they thing things thirdly this thnx those though threads through thunderbird
thursday thus thx tia ticket time tipp tippfehler tired tja tks tnx to today toll tomorrow tonight too total totally
tried trotz trotzdem trouble true truly try trying tschüss tuesday tun turkish tv twice two ty typ type tyvm türkei uk
ukrainian umgehend umtausch unbedingt und under understood unfortunately unklar unknown unmöglich uns unser unsere
unten unter unterwegs until unusable up update updated upset urgent urgently us usa usages use used useful useless
user users using usual usually valued various verfügbar vergessen verkauft verloren versand version verstanden versuch
very verzweifelt vg via video viel viele vielen vielleicht vietnamese vip volunteers vom von vor vorab voraus vorher
vorname vornamen waiting wales wann waren warenkorb warte warten warum was wassup waste way we web webshop website
weder wednesday week weekend weg wegen weil weird weiter weitere weiterhin welche welcher welches welcome well welsh
wem wen wenig weniger wenn went wer werde werden were weren wert what whatever when whenever where whether which while
who whole whom whose why wichtig wie wieder wife windows wir wird wirklich wishes wissen with within without wo woche
wochen wollen wollte won wonderful worden work worked working works world worried worse would write written wrong
wurde während würde xmas xx xxx y'all yall yeah yep yes yet you your yours yourself yourselves zahlung zeit zero
ziemlich zu zuerst zufrieden zufällig zuhause zuletzt zum zumindest zur zurück zusammen zustand zwar zweite zweiten
zwischen österreich über überhaupt übrigens üdvözlettel ďakujem
""".split()
)
"""Never a name, wherever it stands: "Hi all,", "Thanks, solved", "my name is missing", "Ich bin Kunde"."""

NO_FIRST_WORDS = words_in("no_names") - FIRST_NAMES - ALSO_WORDS
"""Words of other languages that no name begins with ("Bonjour à tous", "Hallo allemaal"), though surnames are among them."""

NO_SURNAMES = frozenset(
    """
account airport avenue bank bestellung broadband daniels gaultier hilfiger hotel house klein konto kors mono paket
rechnung road sans serif smith's square station street university wolfskin
""".split()
)
"""Second halves of what only looks like a first and a last name: "Jack Wolfskin", "Victoria Station"."""

ROLE_MAILBOXES = frozenset(
    """
account accounts admin billing bot contact customer do donotreply email example hello help info invoice kontakt kunden
kundenservice mail marketing my name news newsletter no noreply not office order orders post reply return returns
sales service shop support team test the user users web your
""".split()
)
"""Halves of an address that name a role and nobody: customer.service@…"""
