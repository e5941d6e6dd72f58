/* document_outcome.c - the case document: IVO, measures, closing, deadlines, and every act in order. */
#include <string.h>

#include "ask.h"
#include "base/date.h"
#include "document.h"

void document_ivo(struct document *doc)
{
	bool lex_sarah = doc->found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;

	if (doc->found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION)
		return;
	html_element(&doc->html, "h2", "Anmälan till IVO");
	if (!document_acts(doc, IN_IVO))
		document_none(doc, lex_sarah && doc->found->ivo == AVVIK__V1__IVO_STATE__IVO_STATE_REQUIRED
					   ? "Ska anmälas till IVO, men är inte anmält."
					   : "Ingen anmälan är gjord.");
}

/* --- measures: each with all that has been done about it --- */

static ProtobufCBinaryData measure_of(const ProtobufCMessage *body)
{
	const ProtobufCFieldDescriptor *field =
		body ? protobuf_c_message_descriptor_get_field_by_name(body->descriptor, "measure_id") : NULL;
	return field && field->type == PROTOBUF_C_TYPE_BYTES
		       ? *(const ProtobufCBinaryData *)(const void *)((const char *)body + field->offset)
		       : (ProtobufCBinaryData){0};
}

static void measure_write(struct document *doc, const Avvik__V1__Measure *measure, size_t number)
{
	html_element(&doc->html, "h3",
		DOCUMENT_PRINTF(doc, "Åtgärd %zu: %s", number,
			document_word(&avvik__v1__measure_state__descriptor, (int)measure->state)));
	for (size_t i = 0; i < doc->events.count; i++) {
		const struct case_event *event = &doc->events.items[i];
		const ProtobufCMessage *body = av_body(&event->event->base);
		ProtobufCBinaryData id = measure_of(body);
		const struct document_kind *kind = body ? document_kind(body->descriptor->short_name) : NULL;
		if (kind && kind->section == IN_MEASURES && id.len == measure->measure_id.len && id.len &&
			memcmp(id.data, measure->measure_id.data, id.len) == 0)
			document_act(doc, event, 4, kind->title);
	}
}

void document_measures(struct document *doc)
{
	const Avvik__V1__Case *found = doc->found;
	bool any = found->n_measures != 0;

	html_element(&doc->html, "h2", "Åtgärder mot upprepning");
	for (size_t i = 0; i < found->n_measures; i++)
		measure_write(doc, found->measures[i], i + 1);
	for (size_t i = 0; i < doc->events.count; i++) { /* those that are of no measure */
		const struct case_event *event = &doc->events.items[i];
		const ProtobufCMessage *body = av_body(&event->event->base);
		const struct document_kind *kind = body ? document_kind(body->descriptor->short_name) : NULL;
		if (kind && kind->section == IN_MEASURES && !measure_of(body).len) {
			document_act(doc, event, 3, kind->title);
			any = true;
		}
	}
	if (!any)
		document_none(doc, "Ingen åtgärd är beslutad.");
}

void document_closing(struct document *doc)
{
	html_element(&doc->html, "h2", "Avslutande");
	if (!document_acts(doc, IN_CLOSING))
		document_none(doc, "Ärendet är inte avslutat.");
}

/* --- deadlines --- */

/* The time stays on one line, also in print. */
static void kept_write(struct document *doc, const Avvik__V1__Deadline *deadline)
{
	const char *state = document_word(&avvik__v1__deadline_state__descriptor, (int)deadline->state),
		   *ended = deadline->overdue ? "" : tool_time(doc->tool, deadline->ended_at_ms);

	html_open(&doc->html, "td");
	html_text(&doc->html, deadline->overdue ? "har löpt ut, inte gjort" : state);
	if (*ended) {
		html_text(&doc->html, " ");
		html_element(&doc->html, "span class=\"when\"", ended);
	}
	html_close(&doc->html, "td");
}

static void deadline_write(struct document *doc, const Avvik__V1__Deadline *deadline)
{
	const char *name =
		names_deadline(&doc->names, deadline->rules_version, deadline->rule, /* swedish */ true);
	bool hours = deadline->unit == AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_HOURS;

	html_open(&doc->html, "tr");
	html_element(&doc->html, "th scope=\"row\"", DOCUMENT_PRINTF(doc, "%s (%s)", name, deadline->rule));
	html_element(&doc->html, "td", deadline->source);
	html_element(&doc->html, "td", deadline->statutory ? "lagstadgad" : "lokalt mål");
	html_element(&doc->html, "td class=\"when\"",
		hours ? tool_time(doc->tool, deadline->anchor_at_ms)
		      : tool_day(doc->tool, av_local_day(deadline->anchor_at_ms)));
	html_element(&doc->html, "td class=\"when\"",
		hours ? tool_time(doc->tool, deadline->due_at_ms) : tool_day(doc->tool, deadline->due_on));
	kept_write(doc, deadline);
	html_close(&doc->html, "tr");
}

void document_deadlines(struct document *doc)
{
	const Avvik__V1__DeadlinesFound *found = doc->deadlines;

	html_element(&doc->html, "h2", "Tidsfrister");
	if (!found || !found->n_deadlines) {
		document_none(doc, "Ärendet har ingen frist.");
		return;
	}
	html_open(&doc->html, "table");
	html_element(&doc->html, "caption", "Ärendets frister, och om de hölls");
	html_literal(&doc->html, "<thead><tr><th scope=\"col\">Frist</th><th "
				 "scope=\"col\">Bestämmelse</th><th scope=\"col\">Slag</th>"
				 "<th scope=\"col\">Började</th><th scope=\"col\">Sista dag</th><th "
				 "scope=\"col\">Utfall</th></tr></thead>");
	html_open(&doc->html, "tbody");
	for (size_t i = 0; i < found->n_deadlines; i++)
		deadline_write(doc, found->deadlines[i]);
	html_close(&doc->html, "table");
}

/* --- every act in order --- */

static void step_write(struct document *doc, const struct case_event *event, const struct document_kind *kind)
{
	const ProtobufCMessage *body = av_body(&event->event->base);
	const Avvik__V1__ContentRef *ref = event->daemon == DAEMON_WORKFLOW && kind->section == IN_COURSE
						   ? document_content(event->event)
						   : NULL;
	bool sealed = ref && event->event->body_case != AVVIK__V1__EVENT__BODY_CASE_OPENED;

	html_open(&doc->html, "tr");
	html_element(&doc->html, "td class=\"when\"", tool_time(doc->tool, event->event->recorded_at_ms));
	html_open(&doc->html, "td");
	html_text(&doc->html, kind->title ? kind->title
			      : body	  ? body->descriptor->short_name
					  : "Händelse av en senare version");
	if (event->event->body_case == AVVIK__V1__EVENT__BODY_ENTRY_RECORDED)
		html_text(&doc->html, DOCUMENT_PRINTF(doc, ", punkt %u", event->event->entry_recorded->item));
	if (sealed) /* it stands nowhere else; the report's own content stands with the report */
		document_sealed(doc, ref, kind->text);
	html_close(&doc->html, "td");
	html_element(&doc->html, "td", document_actor(doc, event->event));
	html_close(&doc->html, "tr");
}

void document_course(struct document *doc)
{
	html_element(&doc->html, "h2", "Ärendets gång");
	html_open(&doc->html, "table");
	html_element(&doc->html, "caption", "Allt som har förts till ärendet, i tidsordning");
	html_literal(&doc->html,
		"<thead><tr><th scope=\"col\">Dokumenterat</th><th scope=\"col\">Händelse</th>"
		"<th scope=\"col\">Av</th></tr></thead>");
	html_open(&doc->html, "tbody");
	for (size_t i = 0; i < doc->events.count; i++) {
		const struct case_event *event = &doc->events.items[i];
		const ProtobufCMessage *body = av_body(&event->event->base);
		const struct document_kind *kind = document_kind(body ? body->descriptor->short_name : "");
		if (kind->section != IN_NONE)
			step_write(doc, event, kind);
	}
	html_close(&doc->html, "table");
}
