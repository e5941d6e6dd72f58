/* document_inquiry.c - the case document: the investigation, item by item, and how it was assessed and decided. */
#include <string.h>

#include "ask.h"
#include "document.h"

#define ITEMS 10
#define ITEM_DECISION 9
#define ITEM_MEASURES 10
#define ITEM_SIMILAR 5
#define RISKS 4 /* of recurrence, from 1 */

/* --- the entries: an attributed log --- */

static void entry_facts(struct document *doc, const Avvik__V1__Entry *entry)
{
	const char *happened = tool_time(doc->tool, entry->happened_at_ms);
	const Avvik__V1__RulePack *rules = doc->rules;

	if (!*happened && !*entry->cause_area && entry->item != ITEM_SIMILAR && !entry->risk_of_recurrence)
		return;
	html_open(&doc->html, "dl");
	if (*happened) {
		html_element(&doc->html, "dt", "Avser tiden");
		html_element(&doc->html, "dd", happened);
	}
	if (*entry->cause_area) {
		html_element(&doc->html, "dt", "Orsaksområde");
		html_element(&doc->html, "dd",
			rules ? names_code(rules->cause_areas, rules->n_cause_areas, entry->cause_area)
			      : entry->cause_area);
	}
	if (entry->item == ITEM_SIMILAR) {
		html_element(&doc->html, "dt", "Något liknande har inträffat tidigare");
		html_element(&doc->html, "dd", entry->recurrent ? "ja" : "nej");
	}
	if (entry->risk_of_recurrence) {
		html_element(&doc->html, "dt", "Risk för upprepning");
		html_element(
			&doc->html, "dd", DOCUMENT_PRINTF(doc, "%u av %d", entry->risk_of_recurrence, RISKS));
	}
	html_close(&doc->html, "dl");
}

static const char *documented_by(
	struct document *doc, const Avvik__V1__Entry *entry, const struct case_event *event)
{
	const char *recorded =
			   tool_time(doc->tool, event ? event->event->recorded_at_ms : entry->occurred_at_ms),
		   *occurred = tool_time(doc->tool, entry->occurred_at_ms),
		   *author = document_author(doc, entry->author, entry->role);
	bool later = strcmp(recorded, occurred) != 0;

	if (event && document_from(event->event)) /* by whom stands with the text */
		return DOCUMENT_PRINTF(doc, "Dokumenterat %s i %s. Övertaget därifrån %s.", occurred,
			document_from(event->event), recorded);
	return DOCUMENT_PRINTF(doc, "Dokumenterat %s%s%s av %s.", occurred, later ? ", fört hit " : "",
		later ? recorded : "", *author ? author : "okänd");
}

static const struct case_event *event_of(const struct document *doc, const Avvik__V1__Entry *entry)
{
	const struct case_event *event;

	for (size_t n = 0; (event = document_event(doc, AVVIK__V1__EVENT__BODY_ENTRY_RECORDED, n)) != NULL;
		n++) {
		ProtobufCBinaryData id = event->event->entry_recorded->entry_id;
		if (id.len && id.len == entry->entry_id.len &&
			memcmp(id.data, entry->entry_id.data, id.len) == 0)
			return event;
	}
	return NULL;
}

static void entry_write(struct document *doc, const Avvik__V1__Entry *entry)
{
	Avvik__V1__ContentRef ref = AVVIK__V1__CONTENT_REF__INIT;
	const char *nature = document_word(&avvik__v1__entry_nature__descriptor, (int)entry->nature);

	ref.content_id = entry->content_id;
	html_open(&doc->html, "section class=\"act\"");
	html_element(&doc->html, "h4", *nature ? nature : "Anteckning");
	html_element(&doc->html, "p class=\"by\"", documented_by(doc, entry, event_of(doc, entry)));
	entry_facts(doc, entry);
	document_sealed(doc, &ref, NULL);
	html_close(&doc->html, "section");
}

static void item_write(struct document *doc, unsigned int item)
{
	const Avvik__V1__Case *found = doc->found;
	size_t count = 0;

	html_element(&doc->html, "h3", DOCUMENT_PRINTF(doc, "%u. %s", item, document_item(item)));
	for (size_t i = 0; i < found->n_entries; i++)
		if (found->entries[i]->item == item) {
			entry_write(doc, found->entries[i]);
			count++;
		}
	if (item == ITEM_DECISION && found->degree)
		html_element(&doc->html, "p", "Se avsnittet Bedömning och beslut.");
	else if (item == ITEM_MEASURES && found->n_measures)
		html_element(&doc->html, "p", "Se även avsnittet Åtgärder mot upprepning.");
	else if (!count)
		document_none(doc, "Inget är dokumenterat.");
}

void document_inquiry(struct document *doc)
{
	const Avvik__V1__Case *found = doc->found;

	if (found->kind != AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH && !found->n_entries)
		return;
	html_element(&doc->html, "h2", "Utredningen");
	html_element(&doc->html, "p",
		"Varje anteckning visar när den dokumenterades, varifrån uppgiften kommer, om den är en "
		"uppgift eller "
		"en bedömning, och vem som dokumenterade den (SOSFS 2011:5 5 kap.). En anteckning ändras "
		"aldrig.");
	for (unsigned int item = 1; item <= ITEMS; item++)
		item_write(doc, item);
}

void document_decisions(struct document *doc)
{
	html_element(&doc->html, "h2", "Bedömning och beslut");
	if (!document_acts(doc, IN_DECISIONS))
		document_none(doc, "Ingen bedömning är gjord.");
}
