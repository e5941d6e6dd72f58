/* document_words.c - the Swedish of the case document: events, fields, values. */
#include "document_words.h"

#include <string.h>

#include "base/macros.h"
#include "wire/message.h"

/* clang-format off */
static const struct document_kind kinds[] = {
	{"ReportFiled",             IN_REPORT,    "Rapporten togs emot"},
	{"ReportSupplemented",      IN_REPORT,    "Rapporten kompletterades"},
	{"CaseOpened",              IN_COURSE,    "Ärendet öppnades"},
	{"CaseSupplemented",        IN_NONE,      "Kompletteringen fördes till ärendet"},
	{"CasePlaced",              IN_COURSE,    "Ärendet placerades på en enhet", "Motivering"},
	{"ReporterNamed",           IN_REPORT,    "Rapportören namngavs"},
	{"RegistryNumberSet",       IN_COURSE,    "Diarienummer sattes", "Motivering"},
	{"InformationRegistered",   IN_COURSE,    "Informationen diariefördes"},
	{"CaseRulesSet",            IN_COURSE,    "Regelverk bestämdes"},
	{"CaseRemedied",            IN_REMEDIES,  "Åtgärd för att avhjälpa eller undanröja"},
	{"AffectedInformed",        IN_INFORMING, "Information till den berörda"},
	{"RelativesInformed",       IN_INFORMING, "Information till närstående eller ställföreträdare"},
	{"FileEntryConfirmed",      IN_INFORMING, "Dokumentation i den enskildes personakt"},
	{"PoliceReportDecided",     IN_INFORMING, "Ställningstagande till polisanmälan", "Motivering"},
	{"EntryRecorded",           IN_INQUIRY,   "Anteckning i utredningen"},
	{"CaseAssessedInitially",   IN_DECISIONS, "Inledande bedömning", "Motivering"},
	{"DeviationAssessed",       IN_DECISIONS, "Bedömning av avvikelsen"},
	{"CaseTakenForReview",      IN_DECISIONS, "Togs för granskning"},
	{"CompletionRequested",     IN_DECISIONS, "Rapportören ombads komplettera", "Fråga"},
	{"CompletionAnswered",      IN_DECISIONS, "Komplettering"},
	{"InquiryBegun",            IN_DECISIONS, "Utredning av avvikelsen inleddes"},
	{"RiskAssessed",            IN_DECISIONS, "Riskbedömning"},
	{"HighRiskFound",           IN_DECISIONS, "Hög risk i hälso- och sjukvården"},
	{"InquiryCompleted",        IN_DECISIONS, "Utredningen av avvikelsen avslutades"},
	{"RecurrenceNoted",         IN_DECISIONS, "Har inträffat igen trots åtgärder i ett tidigare ärende"},
	{"SeriousFound",            IN_DECISIONS, "Bedömt som allvarligt: ska anmälas till IVO", "Motivering"},
	{"InvestigationCompleted",  IN_DECISIONS, "Utredningen avslutades och låstes", "Motivering"},
	{"CaseDecided",             IN_DECISIONS, "Beslut", "Motivering"},
	{"CaseReconsidered",        IN_DECISIONS, "Omprövning av ställningstagandet", "Motivering"},
	{"CaseReturnedToDeviation", IN_DECISIONS, "Återfördes till enheten som avvikelse", "Motivering"},
	{"CaseTurnedLexSarah",      IN_DECISIONS, "Avvikelsen blev ett lex Sarah-ärende", "Motivering"},
	{"CaseReopened",            IN_DECISIONS, "Ärendet återöppnades", "Motivering"},
	{"IvoDutyLifted",           IN_IVO,       "Skyldigheten att anmäla upphörde", "Motivering"},
	{"IvoNotified",             IN_IVO,       "Anmälan till IVO"},
	{"InvestigationHandedIn",   IN_IVO,       "Utredningen lämnades in till IVO"},
	{"IvoRequested",            IN_IVO,       "Begäran från IVO om komplettering"},
	{"IvoAnswered",             IN_IVO,       "Svar på IVO:s begäran"},
	{"IvoDecided",              IN_IVO,       "IVO:s beslut"},
	{"ProviderNotified",        IN_IVO,       "Den enskilda verksamheten har anmält till IVO"},
	{"MeasureDecided",          IN_MEASURES,  "Beslut om åtgärd", "Åtgärd"},
	{"MeasureProposed",         IN_MEASURES,  "Förslag till åtgärd", "Åtgärd"},
	{"ProposalDecided",         IN_MEASURES,  "Beslut om förslaget", "Kommentar"},
	{"NoMeasuresDecided",       IN_MEASURES,  "Inga åtgärder behövs", "Motivering"},
	{"MeasureExecuted",         IN_MEASURES,  "Åtgärden genomfördes"},
	{"EffectJudged",            IN_MEASURES,  "Bedömning av åtgärdens effekt", "Bedömning"},
	{"MeasureEvaluated",        IN_MEASURES,  "Åtgärdens effekt är bedömd"},
	{"RecurrenceFound",         IN_MEASURES,  "Det inträffade igen i ett senare ärende"},
	{"CaseClosed",              IN_CLOSING,   "Ärendet avslutades", "Anteckning"},
	{"CaseJoined",              IN_DECISIONS, "Rapporten fördes till ett annat ärende om samma händelse", "Motivering"},
	{"OtherJoined",             IN_DECISIONS, "En rapport om samma händelse fördes till ärendet"},
	{"CaseParted",              IN_DECISIONS, "Skildes från det andra ärendet", "Motivering"},
	{"OtherParted",             IN_DECISIONS, "En rapport skildes från ärendet"},
	{"JoinedCaseClosed",        IN_CLOSING,   "Ärendet som rapporten fördes till avslutades"},
	{"DuplicateDismissed",      IN_COURSE,    "Ett annat ärende bedömdes gälla en annan händelse"},
	{"ContentCorrected",        IN_CORRECTIONS, "En felaktig uppgift rättades"},
	{"CorrectionCompleted",     IN_COURSE,    "Den felaktiga uppgiften raderades"},
	{"CaseTakenOver",           IN_COURSE,    "Ärendet togs över från ett annat system"},
	{"DeadlineSet",             IN_NONE, ""},
	{"DeadlineMet",             IN_NONE, ""},
	{"DeadlineCancelled",       IN_NONE, ""},
	{"DeadlineReplanned",       IN_NONE, ""},
	{"RungFired",               IN_NONE, ""},
	{"DeadlineStopped",         IN_COURSE,    "En frist stannades", "Motivering"},
	{"DeadlineResumed",         IN_COURSE,    "En frist löper åter", "Motivering"},
	{"DeadlineExtended",        IN_COURSE,    "En frist förlängdes", "Motivering"},
	{"ContentGranted",          IN_NONE, ""},
	{"ContentRead",             IN_NONE, ""},
	{"ContentErased",           IN_COURSE,    "Innehåll raderades"},
};

static const struct document_field fields[] = {
	{"degree",                 "Grad",                            SHOW_PLAIN},
	{"preliminary_degree",     "Preliminär grad",                 SHOW_PLAIN},
	{"proposed_degree",        "Föreslagen grad",                 SHOW_PLAIN},
	{"investigate",            "Utredning inleds",                SHOW_BOTH},
	{"investigator",           "Utredare",                        SHOW_PERSON},
	{"handler",                "Handläggare",                     SHOW_PERSON},
	{"from_unit",              "Från enhet",                      SHOW_UNIT},
	{"unit",                   "Enhet",                           SHOW_UNIT},
	{"none_needed",            "Ingen åtgärd behövdes",           SHOW_PLAIN},
	{"by_report",              "Uppgiften kommer ur rapporten",   SHOW_PLAIN},
	{"informed",               "Informerad",                      SHOW_BOTH},
	{"whom",                   "Vem",                             SHOW_PLAIN},
	{"confirmed",              "Dokumenterat i personakten",      SHOW_BOTH},
	{"police_report",          "Polisanmälan",                    SHOW_PLAIN},
	{"police_number",          "Polisens diarienummer",           SHOW_PLAIN},
	{"registry_number",        "Diarienummer",                    SHOW_PLAIN},
	{"before",                 "Tidigare diarienummer",           SHOW_PLAIN},
	{"investigation_attached", "Utredningen bifogad",             SHOW_BOTH},
	{"form_version",           "Blankettens version",             SHOW_PLAIN},
	{"receipt_number",         "IVO:s kvittens",                  SHOW_PLAIN},
	{"attachments",            "Antal bilagor",                   SHOW_PLAIN},
	{"channel",                "Lämnad genom",                    SHOW_PLAIN},
	{"request",                "Begäran nummer",                  SHOW_PLAIN},
	{"due_on",                 "Svar senast",                     SHOW_PLAIN},
	{"outcome",                "Utfall",                          SHOW_PLAIN},
	{"ivo_case_number",        "IVO:s diarienummer",              SHOW_PLAIN},
	{"investigation_missing",  "Utredningen ska ännu lämnas in",  SHOW_PLAIN},
	{"notified_at_ms",         "Anmält till IVO",                 SHOW_PLAIN},
	{"by_provider",            "Meddelat av verksamheten själv",  SHOW_PLAIN},
	{"horizon",                "Tidshorisont",                    SHOW_PLAIN},
	{"responsible",            "Ansvarig",                        SHOW_PERSON},
	{"planned_start_on",       "Planerad start",                  SHOW_PLAIN},
	{"planned_end_on",         "Planerat slut",                   SHOW_PLAIN},
	{"verdict",                "Förslaget",                       SHOW_PLAIN},
	{"check",                  "Kontroll",                        SHOW_RULE},
	{"as_investigator",        "Som utredare",                    SHOW_PLAIN},
	{"as_manager",             "Som ansvarig chef",               SHOW_PLAIN},
	{"effective",              "Har haft avsedd effekt",          SHOW_BOTH},
	{"accept_risk",            "Risken godtas utan ny åtgärd",    SHOW_PLAIN},
	{"category",               "Kategori",                        SHOW_CATEGORY},
	{"subcategory",            "Underkategori",                   SHOW_CATEGORY},
	{"cause_areas",            "Orsaksområden",                   SHOW_CAUSE},
	{"laws",                   "Lag",                             SHOW_PLAIN},
	{"law",                    "Lag",                             SHOW_PLAIN},
	{"cause",                  "Grund",                           SHOW_PLAIN},
	{"high",                   "Hög risk",                        SHOW_BOTH},
	{"early",                  "Avslutat utan vidare utredning",  SHOW_PLAIN},
	{"other_number",           "Det andra ärendet",               SHOW_PLAIN},
	{"into_number",            "Förd till ärende",                SHOW_PLAIN},
	{"from_number",            "Skild från ärende",               SHOW_PLAIN},
	{"state_before",           "Skede när den fördes dit",        SHOW_PLAIN},
	{"received_at_ms",         "Den rapporten kom in",            SHOW_PLAIN},
	{"probability",            "Sannolikhet",                     SHOW_PLAIN},
	{"severity",               "Allvarlighetsgrad",               SHOW_PLAIN},
	{"suspect_lex_sarah",      "Kan vara lex Sarah",              SHOW_PLAIN},
	{"as_position",            "Avslutat med ett ställningstagande", SHOW_PLAIN},
	{"legal_reference",        "Lagrum",                          SHOW_PLAIN},
	{"rules_version",          "Regelverk",                       SHOW_PLAIN},
	{"rule",                   "Frist",                           SHOW_RULE},
	{"reason",                 "Skäl",                            SHOW_REASON},
	{"system",                 "Från systemet",                   SHOW_PLAIN},
	{"external_id",            "Nummer där",                      SHOW_PLAIN},
};

static const struct {
	const char *value, *word;
} words[] = {
	{"CASE_KIND_DEVIATION", "avvikelse"}, {"CASE_KIND_LEX_SARAH", "lex Sarah"}, {"CASE_KIND_INFORMATION", "information från enskild verksamhet"},
	{"CASE_STATE_INCOMPLETE", "ofullständigt"}, {"CASE_STATE_RECEIVED", "mottaget"}, {"CASE_STATE_INVESTIGATION", "utredning"},
	{"CASE_STATE_ASSESSMENT", "bedömning"}, {"CASE_STATE_DECIDED", "beslutat"}, {"CASE_STATE_MEASURES", "åtgärder"},
	{"CASE_STATE_FOLLOW_UP", "uppföljning"}, {"CASE_STATE_CLOSED", "avslutat"}, {"CASE_STATE_ASSESSED", "bedömt"},
	{"CASE_STATE_POSITION", "ställningstagande"}, {"CASE_STATE_REVIEW", "granskning"}, {"CASE_STATE_COMPLETION", "komplettering"}, {"CASE_STATE_REGISTERED", "diariefört"}, {"CASE_STATE_PROVIDER_NOTIFIED", "diariefört, anmält av verksamheten"},
	{"CASE_STATE_JOINED", "handläggs i ett annat ärende"},
	{"IVO_STATE_NOT_REQUIRED", "ska inte anmälas"}, {"IVO_STATE_REQUIRED", "ska anmälas"}, {"IVO_STATE_NOTIFIED", "anmält, utredningen återstår att lämna in"},
	{"IVO_STATE_COMPLETE", "anmält, utredningen inlämnad"}, {"IVO_STATE_CLEARED", "IVO har beslutat"},
	{"IVO_OUTCOME_CLOSED", "avslutat utan kritik"}, {"IVO_OUTCOME_CRITICISM", "kritik"}, {"IVO_OUTCOME_SUPERVISION", "ny tillsyn inleds"},
	{"CAPACITY_RELATIVE", "anhörig"}, {"CAPACITY_GUARDIAN", "god man eller förvaltare"}, {"CAPACITY_CUSTODIAN", "vårdnadshavare"},
	{"POLICE_REPORT_NOT_NEEDED", "behövs inte"}, {"POLICE_REPORT_NEEDED", "ska göras"}, {"POLICE_REPORT_MADE", "gjord"},
	{"HANDLED_DONE", "ja"}, {"HANDLED_NOT", "nej, skälet är dokumenterat"},
	{"MEASURE_STATE_PROPOSED", "föreslagen"}, {"MEASURE_STATE_APPROVED", "beslutad"}, {"MEASURE_STATE_REJECTED", "avslagen"},
	{"MEASURE_STATE_EXECUTED", "genomförd"}, {"MEASURE_STATE_EVALUATED", "effekten bedömd"},
	{"TURN_CAUSE_ANSWER", "misstanke om missförhållande"}, {"TURN_CAUSE_THRESHOLD", "risken når regelverkets gräns"},
	{"MEASURE_HORIZON_IMMEDIATE", "omedelbar"}, {"MEASURE_HORIZON_SHORT", "kort sikt"}, {"MEASURE_HORIZON_LONG", "lång sikt"},
	{"MEASURE_VERDICT_APPROVED", "bifalls"}, {"MEASURE_VERDICT_PARTLY", "bifalls delvis"}, {"MEASURE_VERDICT_REJECTED", "avslås"},
	{"ENTRY_NATURE_FACT", "Uppgift"}, {"ENTRY_NATURE_ASSESSMENT", "Bedömning"},
	{"DEGREE_NONE", "inget missförhållande"}, {"DEGREE_RISK", "påtaglig risk för ett missförhållande"}, {"DEGREE_MISCONDUCT", "missförhållande"},
	{"DEGREE_SERIOUS_RISK", "påtaglig risk för ett allvarligt missförhållande"}, {"DEGREE_SERIOUS", "allvarligt missförhållande"},
	{"LAW_SOL", "socialtjänstlagen (SoL)"}, {"LAW_LSS", "lagen om stöd och service till vissa funktionshindrade (LSS)"}, {"LAW_HSL", "hälso- och sjukvårdslagen (HSL)"},
	{"LAW_LVU", "lagen med särskilda bestämmelser om vård av unga (LVU)"}, {"LAW_LVM", "lagen om vård av missbrukare i vissa fall (LVM)"},
	{"CHANNEL_SYSTEM", "verksamhetssystem"}, {"CHANNEL_E_SERVICE", "e-tjänst"}, {"CHANNEL_FORM", "blankett"}, {"CHANNEL_LETTER", "brev"}, {"CHANNEL_MAIL", "e-post"},
	{"CHANNEL_PHONE", "telefon"}, {"CHANNEL_MEETING", "möte"}, {"CHANNEL_INSPECTION", "tillsyn"}, {"CHANNEL_AUDIT", "revision"},
	{"REPORT_TYPE_DEVIATION", "avvikelse"}, {"REPORT_TYPE_LEX_SARAH", "missförhållande (lex Sarah)"}, {"REPORT_TYPE_LEX_SARAH_RISK", "påtaglig risk för ett missförhållande (lex Sarah)"},
	{"CONCERNS_ONE_PERSON", "en enskild"}, {"CONCERNS_GROUP", "en grupp eller hela verksamheten"}, {"CONCERNS_OTHER", "annat"},
	{"SEX_WOMAN", "kvinna"}, {"SEX_MAN", "man"}, {"SEX_OTHER", "okänt eller annat"},
	{"OPERATION_OWN", "egen regi"}, {"OPERATION_IN_HOUSE_CONTRACT", "intraprenad"}, {"OPERATION_CONTRACTED", "entreprenad"}, {"OPERATION_PRIVATE", "enskild regi"},
	{"DEADLINE_STATE_RUNNING", "löper"}, {"DEADLINE_STATE_STOPPED", "står still"}, {"DEADLINE_STATE_MET", "hållen"}, {"DEADLINE_STATE_MET_LATE", "inte hållen: gjort för sent"},
	{"DEADLINE_STATE_CANCELLED", "bortfallen"}, {"DEADLINE_STATE_SUPERSEDED", "ersatt av en annan frist"},
};
static const char *const items[] = {"",
	"Vad händelsen bestod av, och vilka konsekvenser den fick eller kunde ha fått för den enskilde",
	"När och hur händelsen uppmärksammades",
	"När händelsen inträffade",
	"Identifierade orsaker",
	"Om något liknande har inträffat tidigare, och i så fall varför det har hänt igen",
	"Bedömning av om något liknande skulle kunna inträffa igen",
	"Åtgärder som har vidtagits för att avhjälpa eller undanröja, och när",
	"Vad som i övrigt har framkommit",
	"Beslut eller ställningstagande som avslutade utredningen",
	"Åtgärder som har vidtagits eller planeras för att det inte ska hända igen",
};
/* clang-format on */

const struct document_kind *document_kind(const char *message)
{
	static const struct document_kind later = {"", IN_COURSE, NULL, NULL};

	for (size_t i = 0; i < AV_COUNT(kinds); i++)
		if (strcmp(kinds[i].message, message) == 0)
			return &kinds[i];
	return &later;
}

const struct document_field *document_field_word(const char *field)
{
	for (size_t i = 0; i < AV_COUNT(fields); i++)
		if (strcmp(fields[i].field, field) == 0)
			return &fields[i];
	return NULL;
}

const char *document_word(const ProtobufCEnumDescriptor *type, int value)
{
	const ProtobufCEnumValue *known = value ? protobuf_c_enum_descriptor_get_value(type, value) : NULL;

	for (size_t i = 0; known && i < AV_COUNT(words); i++)
		if (strcmp(words[i].value, known->name) == 0)
			return words[i].word;
	return value ? av_enum_name(type, value) : "";
}

const char *document_item(unsigned int item)
{
	return item < AV_COUNT(items) ? items[item] : "";
}
