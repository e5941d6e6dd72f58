/* document_report.c - the case document: its head, the report as it was received, what was done at once, who was told. */
#include "ask.h"
#include "document.h"

#define E(name) AVVIK__V1__EVENT__BODY_##name
#define PART(name) AVVIK__V1__CONTENT_PART__CONTENT_PART_##name

static const Avvik__V1__ReportFiled *filed(const struct document *doc)
{
	const struct case_event *event = document_event(doc, E(REPORT_FILED), 0);
	return event ? event->event->report_filed : NULL;
}

/* --- head --- */

static void identity(struct document *doc)
{
	const Avvik__V1__Case *found = doc->found;
	const Avvik__V1__ReportFiled *report = filed(doc);
	struct tool *tool = doc->tool;

	document_facts_begin(doc, "Grunduppgifter");
	document_fact_wanted(doc, "Diarienummer", found->registry_number, "inte satt");
	document_fact(doc, "Ärendenummer", found->number);
	document_fact_wanted(doc, "Enhet", names_unit(&doc->names, found->unit), "inte känd");
	document_fact(doc, "Ärendeslag", document_word(&avvik__v1__case_kind__descriptor, (int)found->kind));
	document_fact(doc, "Skede", document_word(&avvik__v1__case_state__descriptor, (int)found->state));
	document_fact(doc, "Lagrum", found->legal_reference);
	document_fact(doc, "Lag", document_laws(doc));
	if (report) {
		document_fact(doc, "Rapporten avser",
			document_word(&avvik__v1__report_type__descriptor, (int)report->type));
		document_fact(doc, "Händelsen rör",
			document_word(&avvik__v1__concerns__descriptor, (int)report->concerns));
		document_fact_wanted(doc, "Inträffade",
			document_times(doc, report->occurred_from_at_ms, report->occurred_until_at_ms),
			"inte känt");
	}
	document_fact_wanted(doc, "Uppmärksammades", tool_time(tool, found->noticed_at_ms), "inte känt");
	document_fact(doc, "Rapporten togs emot", tool_time(tool, found->received_at_ms));
	document_fact(doc, "Registrerades", tool_time(tool, found->opened_at_ms));
	document_fact(doc, "Kategori", document_category(doc));
	document_fact(doc, "Utredare",
		!*found->investigator ? ""
		: doc->open	      ? names_person(&doc->names, found->investigator)
				      : "utsedd");
	document_fact(
		doc, "Beslutad grad", document_word(&avvik__v1__degree__descriptor, (int)found->degree));
	if (found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH &&
		(found->degree || found->ivo > AVVIK__V1__IVO_STATE__IVO_STATE_NOT_REQUIRED))
		document_fact(doc, "Anmälan till IVO",
			document_word(&avvik__v1__ivo_state__descriptor, (int)found->ivo));
	document_fact(doc, "Avslutades", tool_time(tool, found->closed_at_ms));
	document_fact(doc, "Regelverk", found->rules_version);
	document_facts_end(doc);
}

void document_head(struct document *doc)
{
	const Avvik__V1__Directory *directory = names_directory(&doc->names);
	const Avvik__V1__Case *found = doc->found;
	const char *title = found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH ? "Lex Sarah"
			    : found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION
				    ? "Avvikelse"
				    : "Lex Sarah i enskild verksamhet";

	html_open(&doc->html, "header");
	html_element(&doc->html, "p class=\"sender\"", directory ? directory->name : "Nämnd: uppgift saknas");
	html_element(&doc->html, "h1", DOCUMENT_PRINTF(doc, "%s, ärende %s", title, found->number));
	html_element(&doc->html, "p class=\"secrecy\"",
		"Handlingen kan innehålla sekretessbelagda uppgifter (26 kap. 1 § OSL).");
	if (!doc->open)
		html_element(&doc->html, "p class=\"notice\"",
			"Version utan innehåll: koder, tider och roller. Varje text är utelämnad och "
			"markerad med "
			"orden " DOCUMENT_WITHHELD ".");
	if (found->protected_identity) {
		html_open(&doc->html, "p class=\"warning\"");
		html_element(&doc->html, "strong", "Varning: skyddade personuppgifter.");
		html_text(&doc->html,
			" Någon som förekommer i ärendet har skyddade personuppgifter. Lämna inte ut "
			"och sprid inte handlingen utan särskild prövning.");
		html_close(&doc->html, "p");
	}
	html_close(&doc->html, "header");
	identity(doc);
}

/* --- the report --- */

static void affected_table(struct document *doc, const Avvik__V1__ReportPersons *persons)
{
	if (!persons->n_affected)
		return;
	html_open(&doc->html, "table");
	html_element(&doc->html, "caption", "Berörda personer");
	html_open(&doc->html, "thead");
	html_open(&doc->html, "tr");
	static const char *const headings[] = {
		"Namn", "Beteckning", "Kön", "Födelseår", "Informerad när rapporten skrevs"};
	for (size_t i = 0; i < AV_COUNT(headings); i++)
		html_element(&doc->html, "th scope=\"col\"", headings[i]);
	html_close(&doc->html, "thead");
	html_open(&doc->html, "tbody");
	for (size_t i = 0; i < persons->n_affected; i++) {
		const Avvik__V1__AffectedPerson *person = persons->affected[i];
		html_open(&doc->html, "tr");
		html_element(&doc->html, "td dir=\"auto\"", *person->name ? person->name : "uppgift saknas");
		html_element(&doc->html, "td dir=\"auto\"", person->reference);
		html_element(&doc->html, "td", document_word(&avvik__v1__sex__descriptor, (int)person->sex));
		html_element(&doc->html, "td",
			person->birth_year ? DOCUMENT_PRINTF(doc, "%u", person->birth_year) : "");
		html_element(&doc->html, "td", person->informed ? "ja" : "nej");
		html_close(&doc->html, "tr");
	}
	html_close(&doc->html, "table");
}

/* "Anhörig", as a heading wants it, also å, ä and ö. */
static const char *capital(struct document *doc, const char *word)
{
	static const char small[] = "åäö", large[] = "ÅÄÖ";

	for (size_t i = 0; i + 1 < sizeof small; i += 2)
		if (strncmp(word, small + i, 2) == 0)
			return DOCUMENT_PRINTF(doc, "%.2s%s", large + i, word + 2);
	return *word >= 'a' && *word <= 'z' ? DOCUMENT_PRINTF(doc, "%c%s", *word - 'a' + 'A', word + 1)
					    : word;
}

static void persons_of(struct document *doc, const Avvik__V1__ReportPersons *persons)
{
	affected_table(doc, persons);
	for (size_t i = 0; i < persons->n_parties; i++) {
		const Avvik__V1__Party *party = persons->parties[i];
		document_text(doc, *party->capacity ? capital(doc, party->capacity) : "Annan person",
			DOCUMENT_PRINTF(
				doc, "%s%s%s", party->name, *party->contact ? ", " : "", party->contact));
	}
}

static void reporter_of(struct document *doc, const Avvik__V1__Reporter *reporter)
{
	document_facts_begin(doc, "Rapportör");
	document_fact(doc, "Namn", reporter->name);
	document_fact(doc, "Befattning", reporter->role);
	document_fact(doc, "Enhet", reporter->unit);
	document_fact(doc, "E-post", reporter->mail);
	document_fact(doc, "Telefon", reporter->phone);
	document_fact(doc, "Rapporterar för", reporter->on_behalf_of);
	document_facts_end(doc);
}

static void narrative_of(struct document *doc, const Avvik__V1__ReportNarrative *narrative)
{
	document_text(doc, "Händelsen", narrative->description);
	document_text(doc, "Konsekvenser för den enskilde", narrative->consequence);
	document_text(doc, "Möjliga konsekvenser", narrative->possible_consequence);
	document_text(doc, "Hur det uppmärksammades", narrative->noticed_how);
	for (size_t i = 0; i < narrative->n_attachment_references; i++)
		document_text(doc, i ? "" : "Bilagor", narrative->attachment_references[i]);
	for (size_t i = 0; i < narrative->n_unread; i++)
		document_text(doc,
			DOCUMENT_PRINTF(doc, "Uppgift som inte kunde läsas (%s)", narrative->unread[i]->path),
			narrative->unread[i]->value);
}

void document_report(struct document *doc, const struct case_event *event, const char *title)
{
	const Avvik__V1__ContentRef *ref = document_content(event->event);
	bool erased = false;
	const ProtobufCMessage *narrative = document_part(doc, ref, PART(NARRATIVE), &erased),
			       *persons = document_part(doc, ref, PART(PERSONS), NULL),
			       *reporter = document_part(doc, ref, PART(REPORTER), NULL);

	html_open(&doc->html, "section class=\"act\"");
	html_element(&doc->html, "h3", title);
	if (document_from(event->event))
		html_element(&doc->html, "p class=\"by\"",
			DOCUMENT_PRINTF(doc, "Mottagen %s i %s. Övertagen därifrån %s.",
				tool_time(doc->tool, event->event->occurred_at_ms),
				document_from(event->event),
				tool_time(doc->tool, event->event->recorded_at_ms)));
	else
		html_element(&doc->html, "p class=\"by\"",
			DOCUMENT_PRINTF(doc, "Registrerad %s genom %s.",
				tool_time(doc->tool, event->event->recorded_at_ms),
				document_actor(doc, event->event)));
	document_correction_note(doc, ref);
	if (narrative)
		narrative_of(doc, (const Avvik__V1__ReportNarrative *)narrative);
	if (persons)
		persons_of(doc, (const Avvik__V1__ReportPersons *)persons);
	if (reporter)
		reporter_of(doc, (const Avvik__V1__Reporter *)reporter);
	if (!narrative && !persons && !reporter)
		html_element(
			&doc->html, "p class=\"withheld\"", erased ? DOCUMENT_ERASED : DOCUMENT_WITHHELD);
	html_close(&doc->html, "section");
}

void document_reports(struct document *doc)
{
	const struct case_event *event = document_event(doc, E(REPORT_FILED), 0),
				*opened = document_event(doc, E(CASE_OPENED), 0);

	if (!event && opened && document_from(opened->event))
		event = opened; /* what the other system received is kept with the case */
	html_element(&doc->html, "h2", "Rapporten");
	if (event)
		document_report(doc, event, "Den ursprungliga rapporten");
	else
		document_none(doc, "Rapporten finns inte i mottagningens journal.");
	for (size_t i = 0; (event = document_event(doc, E(REPORT_SUPPLEMENTED), i)) != NULL; i++)
		document_report(doc, event, DOCUMENT_PRINTF(doc, "Komplettering %zu", i + 1));
	for (size_t i = 0; (event = document_event(doc, E(REPORTER_NAMED), i)) != NULL; i++)
		document_report(doc, event, "Rapportören, som namngavs senare");
}

/* --- what was done at once, and who was told --- */

static size_t remedies_of(struct document *doc, const struct case_event *event)
{
	const Avvik__V1__ReportNarrative *narrative = (const Avvik__V1__ReportNarrative *)document_part(
		doc, document_content(event->event), PART(NARRATIVE), NULL);
	size_t count = narrative ? narrative->n_immediate_measures : 0;

	if (!count)
		return 0;
	html_open(&doc->html, "table");
	html_element(&doc->html, "caption", "Omedelbara åtgärder enligt rapporten");
	html_literal(&doc->html, "<thead><tr><th scope=\"col\">Tid</th><th scope=\"col\">Åtgärd</th>"
				 "<th scope=\"col\">Vidtagen av</th></tr></thead>");
	html_open(&doc->html, "tbody");
	for (size_t i = 0; i < count; i++) {
		const Avvik__V1__ImmediateMeasure *measure = narrative->immediate_measures[i];
		const char *at = tool_time(doc->tool, measure->taken_at_ms);
		html_open(&doc->html, "tr");
		html_element(&doc->html, "td class=\"when\"", *at ? at : "inte känd");
		html_element(&doc->html, "td class=\"text\" dir=\"auto\"", measure->text);
		html_element(&doc->html, "td dir=\"auto\"", measure->taken_by);
		html_close(&doc->html, "tr");
	}
	html_close(&doc->html, "table");
	return count;
}

static size_t remedy_times(struct document *doc)
{
	const Avvik__V1__ReportFiled *report = filed(doc);
	const char *text = "";

	for (size_t i = 0; report && i < report->n_remedied_at_ms; i++)
		text = DOCUMENT_PRINTF(
			doc, "%s%s%s", text, i ? ", " : "", tool_time(doc->tool, report->remedied_at_ms[i]));
	if (!*text)
		return 0;
	html_element(&doc->html, "p",
		DOCUMENT_PRINTF(doc, "Åtgärder enligt rapporten, vidtagna %s: %s", text, DOCUMENT_WITHHELD));
	return 1;
}

void document_remedies(struct document *doc)
{
	const struct case_event *event;
	size_t count;

	html_element(&doc->html, "h2", "Omedelbara åtgärder");
	count = doc->open ? 0 : remedy_times(doc);
	if (doc->open && (event = document_event(doc, E(REPORT_FILED), 0)) != NULL)
		count += remedies_of(doc, event);
	for (size_t i = 0; (event = document_event(doc, E(REPORT_SUPPLEMENTED), i)) != NULL; i++)
		count += remedies_of(doc, event);
	count += document_acts(doc, IN_REMEDIES);
	if (!count)
		document_none(doc, "Ingen omedelbar åtgärd är dokumenterad.");
}

void document_informing(struct document *doc)
{
	html_element(&doc->html, "h2", "Information, personakt och polisanmälan");
	if (!document_acts(doc, IN_INFORMING))
		document_none(
			doc, "Det är inte dokumenterat om den berörda eller närstående har informerats.");
}
