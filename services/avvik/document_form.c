/* document_form.c - the case document: what IVO's form "Anmälan – lex Sarah" asks for, and how the page came about. */
#include <string.h>

#include "ask.h"
#include "base/bytes.h"
#include "base/date.h"
#include "base/macros.h"
#include "document.h"

#define E(name) AVVIK__V1__EVENT__BODY_##name
#define PART(name) AVVIK__V1__CONTENT_PART__CONTENT_PART_##name
#define MISSING "saknas – fyll i för hand"

static const Avvik__V1__Unit *unit_of(struct document *doc)
{
	const Avvik__V1__Directory *directory = names_directory(&doc->names);

	for (size_t i = 0; directory && i < directory->n_units; i++)
		if (strcmp(directory->units[i]->code, doc->found->unit) == 0)
			return directory->units[i];
	return NULL;
}

static void organisation(struct document *doc)
{
	const Avvik__V1__Directory *directory = names_directory(&doc->names);
	const Avvik__V1__Unit *unit = unit_of(doc);
	const Avvik__V1__RulePack *rules = doc->rules;

	document_facts_begin(doc, "Anmälare och verksamhet");
	document_fact_wanted(doc, "Nämnd", directory ? directory->name : "", MISSING);
	document_fact_wanted(doc, "Kommunkod", directory ? directory->municipality : "", MISSING);
	document_fact_wanted(doc, "Organisationsnummer", "", MISSING);
	document_fact_wanted(doc, "Enhet", unit ? unit->name : "", MISSING);
	document_fact_wanted(doc, "Adress", "", MISSING);
	document_fact_wanted(doc, "Kontaktperson, telefon och e-post", "", MISSING);
	document_fact_wanted(doc, "Lag", document_laws(doc), MISSING);
	document_fact_wanted(doc, "Verksamhetsområde",
		unit && rules ? names_code(rules->areas, rules->n_areas, unit->area) : "", MISSING);
	document_fact_wanted(doc, "Verksamhetstyp",
		unit && rules ? names_code(rules->activities, rules->n_activities, unit->activity) : "",
		MISSING);
	document_fact_wanted(doc, "Driftform",
		unit ? document_word(&avvik__v1__operation__descriptor, (int)unit->operation) : "", MISSING);
	document_fact_wanted(doc, "Diarienummer", doc->found->registry_number, MISSING);
	document_facts_end(doc);
}

/* --- persons affected: number, sex, age group on the day it happened --- */

enum { AGES = 5 };
static const struct {
	int until;
	const char *name;
} ages[AGES] = {
	{18, "0–17 år"}, {65, "18–64 år"}, {80, "65–79 år"}, {200, "80 år och äldre"}, {0, "okänd ålder"}};
static const struct {
	Avvik__V1__Sex sex;
	const char *name;
} sexes[] = {{AVVIK__V1__SEX__SEX_WOMAN, "Kvinnor"}, {AVVIK__V1__SEX__SEX_MAN, "Män"},
	{AVVIK__V1__SEX__SEX_OTHER, "Okänt eller annat"},
	{AVVIK__V1__SEX__SEX_UNSPECIFIED, "Uppgift saknas"}};

#define SEEN_MAX 512
struct affected {
	unsigned int count, of[AV_COUNT(sexes)][AGES];
	const Avvik__V1__AffectedPerson *seen[SEEN_MAX];
};

/* A supplement may tell of the same person again. */
static bool seen_before(const struct affected *affected, const Avvik__V1__AffectedPerson *person)
{
	for (size_t i = 0; i < affected->count && i < SEEN_MAX; i++) {
		const Avvik__V1__AffectedPerson *other = affected->seen[i];
		bool same = *person->reference ? strcmp(person->reference, other->reference) == 0
					       : *person->name && strcmp(person->name, other->name) == 0 &&
							 person->birth_year == other->birth_year;
		if (same)
			return true;
	}
	return false;
}

static unsigned int age_group(const Avvik__V1__AffectedPerson *person, int year)
{
	unsigned int group = 0;

	if (!person->birth_year || (int)person->birth_year > year)
		return AGES - 1;
	while (group < AGES - 2 && year - (int)person->birth_year >= ages[group].until)
		group++;
	return group;
}

static void count_persons(
	struct document *doc, const struct case_event *event, int year, struct affected *affected)
{
	const Avvik__V1__ReportPersons *persons = (const Avvik__V1__ReportPersons *)document_part(
		doc, document_content(event->event), PART(PERSONS), NULL);

	for (size_t i = 0; persons && i < persons->n_affected; i++) {
		size_t sex = 0;
		if (seen_before(affected, persons->affected[i]))
			continue;
		if (affected->count < SEEN_MAX)
			affected->seen[affected->count] = persons->affected[i];
		while (sex + 1 < AV_COUNT(sexes) && sexes[sex].sex != persons->affected[i]->sex)
			sex++;
		affected->of[sex][age_group(persons->affected[i], year)]++;
		affected->count++;
	}
}

static void count_affected(struct document *doc, struct affected *affected)
{
	const struct case_event *event = document_event(doc, E(REPORT_FILED), 0);
	int64_t happened = event && event->event->report_filed->occurred_from_at_ms
				   ? event->event->report_filed->occurred_from_at_ms
				   : doc->found->received_at_ms;
	int year = av_date_of(av_local_day(happened)).year;

	if (event)
		count_persons(doc, event, year, affected);
	for (size_t n = 0; (event = document_event(doc, E(REPORT_SUPPLEMENTED), n)) != NULL; n++)
		count_persons(doc, event, year, affected);
}

static void persons_table(struct document *doc, const struct affected *affected)
{
	html_open(&doc->html, "table class=\"short\"");
	html_element(&doc->html, "caption",
		"Berörda personer: antal efter kön och åldersgrupp det år händelsen inträffade");
	html_open(&doc->html, "thead");
	html_open(&doc->html, "tr");
	html_element(&doc->html, "th scope=\"col\"", "Kön");
	for (size_t age = 0; age < AGES; age++)
		html_element(&doc->html, "th scope=\"col\"", ages[age].name);
	html_close(&doc->html, "thead");
	html_open(&doc->html, "tbody");
	for (size_t sex = 0; sex < AV_COUNT(sexes); sex++) {
		html_open(&doc->html, "tr");
		html_element(&doc->html, "th scope=\"row\"", sexes[sex].name);
		for (size_t age = 0; age < AGES; age++)
			html_element(&doc->html, "td", DOCUMENT_PRINTF(doc, "%u", affected->of[sex][age]));
		html_close(&doc->html, "tr");
	}
	html_close(&doc->html, "table");
}

/* --- the event, the measures, the investigation --- */

static const char *description_of(struct document *doc)
{
	const struct case_event *event = document_event(doc, E(REPORT_FILED), 0);
	const Avvik__V1__ReportNarrative *narrative =
		event ? (const Avvik__V1__ReportNarrative *)document_part(
				doc, document_content(event->event), PART(NARRATIVE), NULL)
		      : NULL;

	if (!doc->open)
		return DOCUMENT_WITHHELD;
	return narrative ? DOCUMENT_PRINTF(doc, "%s%s%s", narrative->description,
				   *narrative->consequence ? "\n\n" : "", narrative->consequence)
			 : "";
}

/* The day by which the investigation follows, when a deadline asks for it. */
static const char *investigation_text(struct document *doc)
{
	const struct case_event *handed = NULL, *notified = NULL, *event;

	for (size_t n = 0; (event = document_event(doc, E(INVESTIGATION_HANDED_IN), n)) != NULL; n++)
		handed = event;
	for (size_t n = 0; (event = document_event(doc, E(IVO_NOTIFIED), n)) != NULL; n++)
		notified = event;
	if (handed)
		return DOCUMENT_PRINTF(
			doc, "inlämnad i efterhand %s", tool_time(doc->tool, handed->event->occurred_at_ms));
	if (notified && notified->event->ivo_notified->investigation_attached)
		return "bifogad";
	for (size_t i = 0; doc->deadlines && i < doc->deadlines->n_deadlines; i++) {
		const Avvik__V1__Deadline *deadline = doc->deadlines->deadlines[i];
		const Avvik__V1__DeadlineRule *rule =
			names_rule(&doc->names, deadline->rules_version, deadline->rule);
		for (size_t k = 0; rule && k < rule->n_met_by; k++)
			if (rule->met_by[k] == AVVIK__V1__ANCHOR__ANCHOR_INVESTIGATION_HANDED_IN &&
				deadline->due_on)
				return DOCUMENT_PRINTF(doc, "lämnas in i efterhand, senast %s",
					tool_day(doc->tool, deadline->due_on));
	}
	return "";
}

static void event_facts(struct document *doc, const struct affected *affected)
{
	const struct case_event *event = document_event(doc, E(REPORT_FILED), 0);
	const Avvik__V1__ReportFiled *report = event ? event->event->report_filed : NULL;
	const Avvik__V1__Case *found = doc->found;

	document_facts_begin(doc, "Händelsen");
	document_fact_wanted(doc, "Datum för händelsen",
		report ? document_times(doc, report->occurred_from_at_ms, report->occurred_until_at_ms) : "",
		MISSING);
	document_fact_wanted(doc, "Uppmärksammades", tool_time(doc->tool, found->noticed_at_ms), MISSING);
	document_fact_wanted(
		doc, "Beskrivning av händelsen och konsekvenserna", description_of(doc), MISSING);
	document_fact_wanted(doc, "Bedömd grad",
		document_word(&avvik__v1__degree__descriptor,
			(int)(found->degree ? found->degree : found->proposed_degree)),
		found->serious_found ? "bedömt som allvarligt, beslut om grad återstår" : MISSING);
	document_fact_wanted(doc, "Antal berörda personer",
		!doc->open	  ? DOCUMENT_WITHHELD
		: affected->count ? DOCUMENT_PRINTF(doc, "%u", affected->count)
				  : "",
		MISSING);
	document_fact_wanted(doc, "Den enskilde informerad",
		document_word(&avvik__v1__handled__descriptor, (int)found->affected), MISSING);
	document_fact_wanted(doc, "Närstående eller ställföreträdare informerade",
		document_word(&avvik__v1__handled__descriptor, (int)found->relatives), MISSING);
	document_fact_wanted(doc, "Utredningen", investigation_text(doc), MISSING);
	document_facts_end(doc);
}

/* What was done at once, and what has been decided: the texts, as they stand above. */
static void measures_taken(struct document *doc)
{
	const struct case_event *event;
	size_t count = 0;

	html_element(&doc->html, "h3", "Vidtagna och planerade åtgärder");
	html_open(&doc->html, "ul");
	for (size_t i = 0; i < doc->events.count; i++) {
		event = &doc->events.items[i];
		bool remedied = event->event->body_case == E(CASE_REMEDIED) &&
				!event->event->case_remedied->by_report;
		const Avvik__V1__ReportNarrative *narrative =
			(const Avvik__V1__ReportNarrative *)document_part(
				doc, document_content(event->event), PART(NARRATIVE), NULL);
		const Avvik__V1__CaseText *text = (const Avvik__V1__CaseText *)document_part(
			doc, document_content(event->event), PART(TEXT), NULL);
		for (size_t k = 0;
			event->daemon == DAEMON_INTAKE && narrative && k < narrative->n_immediate_measures;
			k++, count++)
			html_element(&doc->html, "li dir=\"auto\"",
				DOCUMENT_PRINTF(doc, "%s %s",
					tool_time(doc->tool, narrative->immediate_measures[k]->taken_at_ms),
					narrative->immediate_measures[k]->text));
		if (!remedied && event->event->body_case != E(MEASURE_DECIDED))
			continue;
		html_element(&doc->html, "li dir=\"auto\"",
			DOCUMENT_PRINTF(doc, "%s %s", tool_time(doc->tool, event->event->occurred_at_ms),
				text ? text->text : DOCUMENT_WITHHELD));
		count++;
	}
	if (!count)
		html_element(&doc->html, "li", MISSING);
	html_close(&doc->html, "ul");
}

void document_form(struct document *doc)
{
	if (doc->found->kind != AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH)
		return;
	struct affected affected = {.count = 0};

	count_affected(doc, &affected);
	html_element(&doc->html, "h2 class=\"page\"", "Uppgifter till IVO:s blankett Anmälan – lex Sarah");
	html_element(&doc->html, "p",
		"Underlag att föra över till blanketten för hand. Anmälan görs i IVO:s e-tjänst eller med "
		"post till den "
		"regionala avdelningen, aldrig med e-post.");
	organisation(doc);
	event_facts(doc, &affected);
	if (affected.count)
		persons_table(doc, &affected);
	measures_taken(doc);
	document_facts_begin(doc, "Underskrift");
	document_fact(doc, "Datum", "\u00a0");
	document_fact(doc, "Namn och befattning", "\u00a0");
	document_fact(doc, "Underskrift", "\u00a0");
	document_facts_end(doc);
}

/* --- how the page came about --- */

static void receipts(struct document *doc)
{
	for (size_t i = 0; i < doc->events.count; i++) {
		const struct case_event *event = &doc->events.items[i];
		const Avvik__V1__ContentRef *ref = document_content(event->event);
		char hex[2 * 64 + 1] = "";
		if (event->daemon != DAEMON_INTAKE || !ref || !ref->commitment.len ||
			ref->commitment.len > 64)
			continue;
		av_hex(ref->commitment.data, ref->commitment.len, hex);
		document_fact(doc,
			event->event->body_case == E(REPORT_FILED) ? "Rapportens kvitto"
								   : "Kompletteringens kvitto",
			DOCUMENT_PRINTF(doc,
				"löpnummer %llu i mottagningens journal, registrerat %s; "
				"åtagande %s",
				(unsigned long long)event->event->sequence,
				tool_time(doc->tool, event->event->recorded_at_ms), hex));
	}
}

/* Which accounts the names above are. */
static void accounts(struct document *doc)
{
	const char *text = "";

	for (const struct named_person *person = doc->names.people; person; person = person->next)
		text = DOCUMENT_PRINTF(doc, "%s%s%s",
			person->name == person->id ? person->id
						   : DOCUMENT_PRINTF(doc, "%s: %s", person->name, person->id),
			*text ? "\n" : "", text);
	document_fact(doc, "Konton", text);
}

void document_footer(struct document *doc)
{
	const Avvik__V1__RulePack *rules = doc->rules;
	const char *purpose = doc->purpose ? doc->purpose : "";

	html_open(&doc->html, "footer");
	html_element(&doc->html, "h2", "Om handlingen");
	document_facts_begin(doc, "Hur handlingen kom till");
	document_fact(doc, "Framställd", tool_time(doc->tool, doc->made_at_ms));
	document_fact(doc, "Av",
		!doc->tool->person ? "systemet, utan angiven person"
		: doc->open	   ? names_person(&doc->names, doc->tool->person)
				   : "en medarbetare");
	document_fact_wanted(doc, "Ändamål",
		rules && *purpose ? names_code(rules->purposes, rules->n_purposes, purpose) : purpose,
		"inget: version utan innehåll");
	document_fact(doc, "Ärendets version",
		DOCUMENT_PRINTF(doc, "%llu av %s", (unsigned long long)doc->found->version,
			tool_time(doc->tool, doc->found->changed_at_ms)));
	document_fact(doc, "Ärendets id", tool_id_text(doc->tool, doc->found->case_id));
	accounts(doc);
	receipts(doc);
	document_facts_end(doc);
	html_element(&doc->html, "p",
		"Avsändarens kvitto innehåller samma löpnummer och åtagande, och styrker med omgångens "
		"underskrift vad "
		"som togs emot och när.");
	html_element(&doc->html, "p class=\"secrecy\"",
		"Handlingen kan innehålla sekretessbelagda uppgifter (26 kap. 1 § OSL).");
	html_close(&doc->html, "footer");
}
