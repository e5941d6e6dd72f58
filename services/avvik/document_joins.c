/* document_joins.c - the case document: other reports of the same event, and what was corrected. */
#include <string.h>

#include "ask.h"
#include "document.h"

#define E(name) AVVIK__V1__EVENT__BODY_##name

static bool of_case(const struct case_event *event, const Avvik__V1__JoinedCase *joined)
{
	return event->event->case_id.len && event->event->case_id.len == joined->case_id.len &&
	       memcmp(event->event->case_id.data, joined->case_id.data, joined->case_id.len) == 0;
}

static void joined_write(struct document *doc, const Avvik__V1__JoinedCase *joined)
{
	size_t count = 0;

	html_element(&doc->html, "h3",
		DOCUMENT_PRINTF(doc, "Rapporten i ärende %s, mottagen %s och förd hit %s", joined->number,
			tool_time(doc->tool, joined->received_at_ms),
			tool_time(doc->tool, joined->joined_at_ms)));
	for (size_t i = 0; i < doc->joined.count; i++) {
		const struct case_event *event = &doc->joined.items[i];
		if (!of_case(event, joined))
			continue;
		if (event->event->body_case == E(REPORT_FILED))
			document_report(doc, event, "Rapporten");
		else if (event->event->body_case == E(REPORT_SUPPLEMENTED))
			document_report(doc, event, "Komplettering");
		else
			continue;
		count++;
	}
	if (!count)
		html_element(&doc->html, "p class=\"withheld\"", DOCUMENT_WITHHELD);
}

void document_joined(struct document *doc)
{
	const Avvik__V1__JoinedInto *into = doc->found->joined_into;

	if (into)
		html_element(&doc->html, "p class=\"notice\"",
			DOCUMENT_PRINTF(doc,
				"Rapporten rör samma händelse som ärende %s och handläggs där sedan %s.",
				into->number, tool_time(doc->tool, into->joined_at_ms)));
	if (!doc->found->n_joined)
		return;
	html_element(&doc->html, "h2", "Andra rapporter om samma händelse");
	for (size_t i = 0; i < doc->found->n_joined; i++)
		joined_write(doc, doc->found->joined[i]);
}

/* --- corrections --- */

static const char *part_words(struct document *doc, const Avvik__V1__Correction *correction)
{
	static const struct {
		Avvik__V1__ContentPart part;
		const char *words;
	} names[] = {{AVVIK__V1__CONTENT_PART__CONTENT_PART_NARRATIVE, "berättelsen"},
		{AVVIK__V1__CONTENT_PART__CONTENT_PART_PERSONS, "berörda personer"},
		{AVVIK__V1__CONTENT_PART__CONTENT_PART_REPORTER, "rapportören"},
		{AVVIK__V1__CONTENT_PART__CONTENT_PART_TEXT, "en text i ärendet"}};
	const char *text = "";

	for (size_t i = 0; i < correction->n_parts; i++)
		for (size_t k = 0; k < AV_COUNT(names); k++)
			if (names[k].part == correction->parts[i])
				text = DOCUMENT_PRINTF(
					doc, "%s%s%s", text, *text ? ", " : "", names[k].words);
	return text;
}

void document_corrections(struct document *doc)
{
	char hex[2 * 64 + 1];

	if (!doc->correction_count)
		return;
	html_element(&doc->html, "h2", "Rättelser");
	html_element(&doc->html, "p",
		"Det här har rättats. Det som var fel är raderat; att det fanns, vem som rättade det, när "
		"och "
		"varför är kvar.");
	for (size_t i = 0; i < doc->correction_count; i++) {
		const Avvik__V1__Correction *correction = doc->corrections[i];
		const char *erased = tool_time(doc->tool, correction->erased_at_ms);
		hex[0] = '\0';
		if (correction->commitment.len <= 64)
			av_hex(correction->commitment.data, correction->commitment.len, hex);
		document_facts_begin(doc, DOCUMENT_PRINTF(doc, "Rättelse %zu", i + 1));
		document_fact(doc, "Rättades", tool_time(doc->tool, correction->corrected_at_ms));
		document_fact(doc, "Av", document_author(doc, correction->person, correction->role));
		document_fact(doc, "Skäl", document_reason(doc, correction->reason));
		document_fact(doc, "Innehöll", part_words(doc, correction));
		document_fact_wanted(doc, "Det felaktiga raderades", erased, "inte ännu");
		document_fact(doc, "Det felaktigas åtagande", hex);
		document_facts_end(doc);
	}
}
