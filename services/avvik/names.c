/* names.c - what people call things: units, deadlines, roles, anchors. */
#include "names.h"

#include <string.h>

#include "base/macros.h"
#include "base/status.h"

/* The roles of the rule pack se-2025-07 in English; others are shown by their Swedish names. */
/* clang-format off */
static const struct {
	const char *code, *english, *swedish;
} roles[] = {
	{"reporter",    "the reporter",                      "rapportören"},
	{"responsible", "the one responsible", "den ansvariga"},
	{"actor",       "the one who acted",                 "den som utförde det"},
	{"MEDARBETARE", "the employee",                      NULL},
	{"BITR_EC",     "the deputy unit manager",           NULL},
	{"EC",          "the unit manager",                  "enhetschefen"},
	{"AC",          "the head of department",            "avdelningschefen"},
	{"VC_HSL",      "the head of health care operations", NULL},
	{"FC",          "the head of administration",        "förvaltningschefen"},
	{"NAMND",       "the committee's chair",             "nämndens ordförande"},
	{"NAMNDSEKR",   "the committee's secretary",         "nämndsekreteraren"},
	{"MAS",         "the responsible nurse (MAS)",       "MAS"},
	{"MAR",         "the responsible for rehabilitation (MAR)", "MAR"},
	{"SAS",         "SAS",                               "SAS"},
	{"LEX_ANSV",    "the lex Sarah officer",             "den lex Sarah-ansvariga"},
	{"LEX_UTR",     "the investigator",                  "utredaren"},
	{"KVAL",        "the quality developer",             "kvalitetsutvecklaren"},
	{"STAB",        "the staff office",                  NULL},
	{"DSO",         "the data protection officer",       "dataskyddsombudet"},
	{"REGISTRATOR", "the registry",                      "registratorn"},
	{"EVB_HR",      "the main reporter",                 NULL},
	{"BESTALLARE",  "the orderer",                       "beställaren"},
};

#define A(name) AVVIK__V1__ANCHOR__ANCHOR_##name
static const struct {
	Avvik__V1__Anchor anchor;
	const char *english, *swedish;
} anchors[] = {
	{A(RECEIVED),                "the report has been received",                    "rapporten har kommit in"},
	{A(REMEDIED),                "it has been remedied, or nothing needs to be",    "missförhållandet har avhjälpts, eller inget behöver avhjälpas"},
	{A(ASSESSED_INITIALLY),      "the initial assessment has been made",            "den inledande bedömningen har gjorts"},
	{A(SERIOUS),                 "it has been found serious",                       "det har bedömts vara allvarligt"},
	{A(NOTIFIED),                "IVO has been notified",                           "anmälan har gjorts till IVO"},
	{A(NOTIFIED_INCOMPLETE),     "IVO has been notified without the investigation", "anmälan har gjorts till IVO utan färdig utredning"},
	{A(INVESTIGATION_HANDED_IN), "the investigation has been handed in to IVO",     "utredningen har lämnats in till IVO"},
	{A(MEASURE_PLANNED_END),     "the measure's planned end",              "åtgärdens planerade slutdatum"},
	{A(MEASURE_EXECUTED),        "the measure has been executed",                   "åtgärden har genomförts"},
	{A(MEASURE_EVALUATED),       "the measure's effect has been judged",            "åtgärdens effekt har bedömts"},
	{A(MEASURE_REJECTED),        "the measure has been rejected",                   "åtgärden har avslagits"},
	{A(DECIDED),                 "the decision has been made",                      "beslutet har fattats"},
	{A(CLOSED),                  "the case has been closed",                        "ärendet har avslutats"},
	{A(CLOSED_AS_POSITION),      "the case has been closed as a recorded position", "ärendet har avslutats med ett ställningstagande"},
	{A(IVO_DUTY_LIFTED),         "the duty to notify IVO has been lifted",          "skyldigheten att anmäla till IVO har upphört"},
	{A(ASSESSED),                "the deviation has been assessed",                 "avvikelsen har bedömts"},
	{A(TURNED_LEX_SARAH),        "the deviation has been turned into lex Sarah",    "avvikelsen har blivit ett lex Sarah-ärende"},
	{A(SUPERSEDED),              "another deadline has taken its place",            "en annan frist gäller i stället"},
	{A(MEASURE_WITHOUT_EFFECT),  "the measure has not had its effect",              "åtgärden har inte haft avsedd effekt"},
	{A(REVIEW_BEGUN),            "the deviation has been taken for review",         "avvikelsen har tagits för granskning"},
	{A(COMPLETION_REQUESTED),    "the reporter has been asked to complete",         "komplettering har begärts"},
	{A(COMPLETION_ANSWERED),     "the answer has come in",                          "kompletteringen har kommit in"},
	{A(INQUIRY_BEGUN),           "the inquiry has begun",                           "utredningen av avvikelsen har inletts"},
	{A(INQUIRY_COMPLETED),       "the inquiry has been finished",                   "utredningen av avvikelsen är klar"},
	{A(NOTICED),                 "it has been noticed",                             "händelsen har uppmärksammats"},
	{A(IVO_REQUESTED),           "the day in IVO's request",                        "dagen i IVO:s begäran"},
	{A(IVO_ANSWERED),            "IVO's request has been answered",                 "IVO:s begäran har besvarats"},
	{A(IVO_DECIDED),             "IVO has decided",                                 "IVO har beslutat"},
	{A(RECONSIDERED),            "the position has been reconsidered",              "ställningstagandet har omprövats"},
	{A(RETURNED_TO_DEVIATION),   "the case has been returned as a deviation",       "ärendet har återförts som avvikelse"},
	{A(REOPENED),                "the case has been opened again",                  "ärendet har återöppnats"},
	{A(AFFECTED_INFORMED),       "the person affected has been informed, or why not is recorded", "den enskilde har informerats, eller skälet är dokumenterat"},
	{A(POLICE_REPORTED),         "a report to the police has been made",            "polisanmälan har gjorts"},
	{A(INFORMATION_REGISTERED),  "the provider's report has been registered",       "utförarens rapport har diarieförts"},
	{A(COMMITTEE_TOLD),          "the committee has been told of the notification", "nämnden har underrättats om anmälan"},
	{A(JOINED),                  "the report stands under another case",            "rapporten handläggs i ett annat ärende"},
	{A(PLACED_AT_PROVIDER),      "the case has proved to be a private provider's",  "ärendet har visat sig gälla en enskild utförare"},
};

/* The codes of NoticeUnreachable, which JSON keeps. */
static const struct {
	const char *code, *words;
} unreachable[] = {
	{"no_holder",      "nobody holds the role"},
	{"no_responsible", "the case names nobody"},
	{"no_actor",       "no person did it"},
	{"no_contact",     "there is no address"},
	{"too_many",       "too many are to be told at once"},
};
/* clang-format on */

/* The reply stays: what it holds is used until the tool ends. */
static const Avvik__V1__Reply *asked(struct names *names, unsigned int number, ProtobufCMessage *body)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	ProtobufCMessage *kept = NULL;

	if (names->away)
		return NULL;
	av_body_set(&command.base, number, body);
	Avvik__V1__Reply *reply = tool_call(names->tool, DAEMON_INTAKE, &command);
	if (reply)
		kept = av_message_copy(&reply->base, names->tool->arena);
	names->away = !reply;
	tool_reply_free(&reply);
	return (const Avvik__V1__Reply *)kept;
}

const Avvik__V1__Directory *names_directory(struct names *names)
{
	Avvik__V1__GetDirectory query = AVVIK__V1__GET_DIRECTORY__INIT;

	if (names->directory || names->no_directory)
		return names->directory;
	const Avvik__V1__Reply *reply = asked(names, AVVIK__V1__COMMAND__BODY_GET_DIRECTORY, &query.base);
	if (reply && reply->body_case == AVVIK__V1__REPLY__BODY_DIRECTORY_FOUND)
		names->directory = reply->directory_found->directory;
	names->no_directory = !names->directory;
	return names->directory;
}

const Avvik__V1__RulePack *names_rules(struct names *names, const char *version)
{
	Avvik__V1__GetRules query = AVVIK__V1__GET_RULES__INIT;

	for (size_t i = 0; i < names->pack_count; i++)
		if (!version || !*version || strcmp(names->packs[i]->version, version) == 0)
			return names->packs[i];
	query.version = (char *)(uintptr_t)(version ? version : "");
	const Avvik__V1__Reply *reply = asked(names, AVVIK__V1__COMMAND__BODY_GET_RULES, &query.base);
	if (!reply || reply->body_case != AVVIK__V1__REPLY__BODY_RULES_FOUND ||
		names->pack_count == NAMES_PACKS)
		return NULL;
	names->packs[names->pack_count] = reply->rules_found->rules;
	return names->packs[names->pack_count++];
}

const Avvik__V1__DeadlineRule *names_rule(struct names *names, const char *version, const char *rule)
{
	const Avvik__V1__RulePack *rules = names_rules(names, version);

	for (size_t i = 0; rules && i < rules->n_deadlines; i++)
		if (strcmp(rules->deadlines[i]->id, rule) == 0)
			return rules->deadlines[i];
	return NULL;
}

const char *names_unit(struct names *names, const char *code)
{
	const Avvik__V1__Directory *directory = *code ? names_directory(names) : NULL;

	for (size_t i = 0; directory && i < directory->n_units; i++)
		if (strcmp(directory->units[i]->code, code) == 0 && *directory->units[i]->name)
			return directory->units[i]->name;
	return code;
}

const char *names_person(struct names *names, const char *id)
{
	Avvik__V1__GetDirectory query = AVVIK__V1__GET_DIRECTORY__INIT;
	char *wanted = (char *)(uintptr_t)id;

	for (const struct named_person *known = names->people; known; known = known->next)
		if (strcmp(known->id, id) == 0)
			return known->name;
	struct named_person *person = av_arena_alloc(names->tool->arena, sizeof *person);
	if (!person)
		return id;
	query.names_of = &wanted;
	query.n_names_of = 1;
	const Avvik__V1__Reply *reply = asked(names, AVVIK__V1__COMMAND__BODY_GET_DIRECTORY, &query.base);
	const Avvik__V1__Directory *found =
		reply && reply->body_case == AVVIK__V1__REPLY__BODY_DIRECTORY_FOUND
			? reply->directory_found->directory
			: NULL;
	bool named = found && found->n_people == 1 && strcmp(found->people[0]->id, id) == 0 &&
		     *found->people[0]->name;
	*person = (struct named_person){id, named ? found->people[0]->name : id, names->people};
	names->people = person;
	return person->name;
}

const char *names_deadline(struct names *names, const char *version, const char *rule, bool swedish)
{
	const Avvik__V1__DeadlineRule *found = names_rule(names, version, rule);

	if (found && !swedish && *found->name_en)
		return found->name_en;
	return found && *found->name ? found->name : rule;
}

const char *names_code(Avvik__V1__Code *const *codes, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(codes[i]->code, code) == 0 && *codes[i]->name)
			return codes[i]->name;
	return code;
}

const char *names_role(struct names *names, const char *role, bool swedish)
{
	for (size_t i = 0; i < AV_COUNT(roles); i++) {
		const char *name = swedish ? roles[i].swedish : roles[i].english;
		if (strcmp(roles[i].code, role) == 0 && name)
			return name;
	}
	const Avvik__V1__RulePack *rules = names_rules(names, NULL);
	return rules ? names_code(rules->roles, rules->n_roles, role) : role;
}

const char *names_recipients(
	struct names *names, Avvik__V1__Recipient *const *recipients, size_t count, bool swedish)
{
	const char *text = "", *and = swedish ? " och " : " and ";

	for (size_t i = 0; i < count; i++)
		text = av_arena_printf(names->tool->arena, "%s%s%s", text,
			i == 0		 ? ""
			: i + 1 == count ? and
					 : ", ",
			names_role(names, recipients[i]->role, swedish));
	return text;
}

const char *names_unreachable(const char *why)
{
	for (size_t i = 0; i < AV_COUNT(unreachable); i++)
		if (strcmp(unreachable[i].code, why) == 0)
			return unreachable[i].words;
	return why;
}

const char *names_anchor(Avvik__V1__Anchor anchor, bool swedish)
{
	for (size_t i = 0; i < AV_COUNT(anchors); i++)
		if (anchors[i].anchor == anchor)
			return swedish ? anchors[i].swedish : anchors[i].english;
	return "";
}

const char *names_rung(Avvik__V1__RungKind kind, bool swedish)
{
	switch (kind) {
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_WARNING:
		return swedish ? "påminnelse" : "reminder";
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_DUE:
		return swedish ? "sista dagen" : "last day";
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_OVERDUE:
		return swedish ? "försenad" : "overdue";
	case AVVIK__V1__RUNG_KIND__RUNG_KIND_ESCALATION:
		return swedish ? "eskalering" : "escalation";
	default:
		return "";
	}
}
