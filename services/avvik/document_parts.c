/* document_parts.c - what the parts of the case document are made of: facts, texts, acts. */
#include <string.h>

#include "ask.h"
#include "base/status.h"
#include "document.h"

/* --- content --- */

static bool same_id(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* What stands in the place of a content now: itself, or what it was corrected to, step by step. */
static ProtobufCBinaryData corrected_to(const struct document *doc, ProtobufCBinaryData content_id)
{
	for (size_t i = 0; i < doc->correction_count;
		i++) /* in order: a correction of a correction comes later */
		if (same_id(doc->corrections[i]->content_id, content_id))
			content_id = doc->corrections[i]->corrected_id;
	return content_id;
}

const Avvik__V1__Correction *document_corrected(const struct document *doc, const Avvik__V1__ContentRef *ref)
{
	ProtobufCBinaryData now = ref ? corrected_to(doc, ref->content_id) : (ProtobufCBinaryData){0};

	for (size_t i = doc->correction_count; i-- > 0;)
		if (same_id(doc->corrections[i]->corrected_id, now))
			return doc->corrections[i];
	return NULL;
}

const ProtobufCMessage *document_part(const struct document *doc, const Avvik__V1__ContentRef *ref,
	Avvik__V1__ContentPart part, bool *ret_erased)
{
	ProtobufCBinaryData now = ref ? corrected_to(doc, ref->content_id) : (ProtobufCBinaryData){0};

	for (size_t i = 0; now.len == AV_ID_SIZE && i < doc->part_count; i++) {
		const struct opened_part *opened = &doc->parts[i];
		if (memcmp(opened->content_id.bytes, now.data, AV_ID_SIZE) != 0)
			continue;
		if (!opened->part && ret_erased)
			*ret_erased = true;
		if (opened->part == part)
			return opened->message;
	}
	return NULL;
}

void document_correction_note(struct document *doc, const Avvik__V1__ContentRef *ref)
{
	const Avvik__V1__Correction *correction = document_corrected(doc, ref);

	if (correction)
		html_element(&doc->html, "p class=\"corrected\"",
			DOCUMENT_PRINTF(doc, "Rättad %s av %s (%s). Det som stod här tidigare %s.",
				tool_time(doc->tool, correction->corrected_at_ms),
				document_author(doc, correction->person, correction->role),
				document_reason(doc, correction->reason),
				correction->erased_at_ms ? "är raderat" : "raderas"));
}

const Avvik__V1__ContentRef *document_content(const Avvik__V1__Event *event)
{
	const ProtobufCMessage *body = av_body(&event->base);
	const ProtobufCFieldDescriptor *field =
		body ? protobuf_c_message_descriptor_get_field_by_name(body->descriptor, "content") : NULL;

	if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED ||
		field->descriptor != &avvik__v1__content_ref__descriptor)
		return NULL;
	return *(const Avvik__V1__ContentRef *const *)((const char *)body + field->offset);
}

void document_text(struct document *doc, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	if (*name)
		html_element(&doc->html, "p class=\"name\"", name);
	html_element(&doc->html, "div class=\"text\" dir=\"auto\"", text);
}

void document_sealed(struct document *doc, const Avvik__V1__ContentRef *ref, const char *name)
{
	bool erased = false;

	if (!ref || !ref->content_id.len)
		return;
	document_correction_note(doc, ref);
	const Avvik__V1__CaseText *text = (const Avvik__V1__CaseText *)document_part(
		doc, ref, AVVIK__V1__CONTENT_PART__CONTENT_PART_TEXT, &erased);
	if (text) {
		if (*text->source) {
			html_open(&doc->html, "dl");
			html_element(&doc->html, "dt", "Källa");
			html_element(&doc->html, "dd dir=\"auto\"", text->source);
			html_close(&doc->html, "dl");
		}
		document_text(doc, name ? name : "", text->text);
		document_text(doc, "Mål", text->goal);
		document_text(doc, "Anmärkning", text->note);
	} else {
		html_element(
			&doc->html, "p class=\"withheld\"", erased ? DOCUMENT_ERASED : DOCUMENT_WITHHELD);
	}
}

/* --- facts --- */

void document_facts_begin(struct document *doc, const char *caption)
{
	html_open(&doc->html, "table class=\"facts\"");
	html_element(&doc->html, "caption", caption);
	html_open(&doc->html, "tbody");
}

void document_fact(struct document *doc, const char *name, const char *value)
{
	if (!*value)
		return;
	html_open(&doc->html, "tr");
	html_element(&doc->html, "th scope=\"row\"", name);
	html_element(&doc->html, "td dir=\"auto\"", value);
	html_close(&doc->html, "tr");
}

void document_fact_wanted(struct document *doc, const char *name, const char *value, const char *missing)
{
	document_fact(doc, name, *value ? value : missing);
}

void document_facts_end(struct document *doc)
{
	html_close(&doc->html, "table");
}

void document_none(struct document *doc, const char *sentence)
{
	html_element(&doc->html, "p class=\"none\"", sentence);
}

const char *document_times(struct document *doc, int64_t from_ms, int64_t until_ms)
{
	const char *from = tool_time(doc->tool, from_ms);

	return until_ms && until_ms != from_ms ? DOCUMENT_PRINTF(doc, "%s till %s", *from ? from : "okänt",
							 tool_time(doc->tool, until_ms))
					       : from;
}

const char *document_reason(const struct document *doc, const char *code)
{
	const char *name =
		doc->rules ? names_code(doc->rules->stop_reasons, doc->rules->n_stop_reasons, code) : code;

	return doc->rules && strcmp(name, code) == 0
		       ? names_code(doc->rules->erasure_reasons, doc->rules->n_erasure_reasons, code)
		       : name;
}

static const char *coded(const struct document *doc, enum document_show show, const char *code)
{
	const Avvik__V1__RulePack *rules = doc->rules;

	if (!rules)
		return code;
	return show == SHOW_CATEGORY ? names_code(rules->categories, rules->n_categories, code)
	       : show == SHOW_CAUSE  ? names_code(rules->cause_areas, rules->n_cause_areas, code)
	       : show == SHOW_REASON ? document_reason(doc, code)
				     : code;
}

const char *document_category(struct document *doc)
{
	const char *category = coded(doc, SHOW_CATEGORY, doc->found->category);

	return *doc->found->subcategory ? DOCUMENT_PRINTF(doc, "%s: %s", category,
						  coded(doc, SHOW_CATEGORY, doc->found->subcategory))
					: category;
}

const char *document_laws(struct document *doc)
{
	const char *text = "";

	for (size_t i = 0; i < doc->found->n_laws; i++)
		text = DOCUMENT_PRINTF(doc, "%s%s%s", text, i ? ", " : "",
			document_word(&avvik__v1__law__descriptor, (int)doc->found->laws[i]));
	return text;
}

/* --- what an event says of its act --- */

static bool ends_in(const char *text, const char *end)
{
	size_t size = strlen(text), wanted = strlen(end);
	return size >= wanted && strcmp(text + size - wanted, end) == 0;
}

static const char *text_value(struct document *doc, enum document_show show, const char *value)
{
	if (!*value)
		return "";
	if (show == SHOW_PERSON)
		return doc->open ? names_person(&doc->names, value) : DOCUMENT_WITHHELD;
	if (show == SHOW_RULE && strcmp(value, "recurrence") == 0)
		return "ny bedömning, sedan det har inträffat igen";
	if (show == SHOW_RULE)
		return DOCUMENT_PRINTF(doc, "%s (%s)",
			names_deadline(&doc->names, doc->found->rules_version, value, /* swedish */ true),
			value);
	return show == SHOW_UNIT ? names_unit(&doc->names, value) : coded(doc, show, value);
}

static const char *value_text(struct document *doc, const ProtobufCFieldDescriptor *field,
	const struct document_field *word, const void *member)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return text_value(doc, word->show, *(char *const *)member);
	case PROTOBUF_C_TYPE_ENUM:
		return document_word(field->descriptor, *(const int *)member);
	case PROTOBUF_C_TYPE_BOOL:
		return *(const protobuf_c_boolean *)member ? "ja" : word->show == SHOW_BOTH ? "nej" : "";
	case PROTOBUF_C_TYPE_INT32:
		return ends_in(field->name, "_on") ? tool_day(doc->tool, *(const int32_t *)member) : "";
	case PROTOBUF_C_TYPE_INT64:
		return ends_in(field->name, "_at_ms") ? tool_time(doc->tool, *(const int64_t *)member) : "";
	case PROTOBUF_C_TYPE_UINT32:
		return *(const uint32_t *)member ? DOCUMENT_PRINTF(doc, "%u", *(const uint32_t *)member) : "";
	default:
		return "";
	}
}

const char *document_field(
	struct document *doc, const ProtobufCMessage *body, const struct document_field *word)
{
	const ProtobufCFieldDescriptor *field =
		protobuf_c_message_descriptor_get_field_by_name(body->descriptor, word->field);
	const char *text = "";

	if (!field)
		return "";
	const char *member = (const char *)body + field->offset;
	if (field->label != PROTOBUF_C_LABEL_REPEATED)
		return value_text(doc, field, word, member);
	size_t count = *(const size_t *)(const void *)((const char *)body + field->quantifier_offset);
	size_t size = field->type == PROTOBUF_C_TYPE_STRING ? sizeof(char *) : sizeof(int);
	if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_ENUM)
		return "";
	const char *values = *(const char *const *)(const void *)member;
	for (size_t i = 0; i < count; i++)
		text = DOCUMENT_PRINTF(
			doc, "%s%s%s", text, i ? ", " : "", value_text(doc, field, word, values + i * size));
	return text;
}

static void facts_of(struct document *doc, const ProtobufCMessage *body)
{
	bool any = false;

	for (unsigned int i = 0; body && i < body->descriptor->n_fields; i++) {
		const struct document_field *word = document_field_word(body->descriptor->fields[i].name);
		const char *value = word ? document_field(doc, body, word) : "";
		if (!*value)
			continue;
		if (!any)
			html_open(&doc->html, "dl");
		any = true;
		html_element(&doc->html, "dt", word->name);
		html_element(&doc->html, "dd dir=\"auto\"", value);
	}
	if (any)
		html_close(&doc->html, "dl");
}

/* --- acts --- */

const char *document_author(struct document *doc, const char *person, const char *role)
{
	const char *title =
		*role && doc->rules ? names_code(doc->rules->roles, doc->rules->n_roles, role) : role;

	if (!doc->open || !*person)
		return *title ? title : *person ? "en medarbetare" : "";
	person = names_person(&doc->names, person);
	return *title ? DOCUMENT_PRINTF(doc, "%s, %s", person, title) : person;
}

const char *document_actor(struct document *doc, const Avvik__V1__Event *event)
{
	const Avvik__V1__Actor *actor = event->actor;

	if (!actor)
		return "";
	bool report = event->body_case == AVVIK__V1__EVENT__BODY_REPORT_FILED ||
		      event->body_case == AVVIK__V1__EVENT__BODY_REPORT_SUPPLEMENTED;
	const char *author = report ? "" : document_author(doc, actor->person, actor->role);
	if (*author) /* who reported stands in the report, for those who may read it */
		return author;
	if (document_from(event))
		return DOCUMENT_PRINTF(
			doc, "i %s, %s", actor->taken_over_from, tool_time(doc->tool, event->occurred_at_ms));
	return strcmp(actor->principal, "avvik") == 0 ? "systemet"
						      : DOCUMENT_PRINTF(doc, "systemet %s", actor->principal);
}

const char *document_from(const Avvik__V1__Event *event)
{
	return event->actor && *event->actor->taken_over_from ? event->actor->taken_over_from : NULL;
}

/* "Utfört 2026-04-02 15:00. Dokumenterat 2026-04-09 10:00 av beata.bjorkman, enhetschef." */
static const char *when_and_who(struct document *doc, const Avvik__V1__Event *event)
{
	const char *recorded = tool_time(doc->tool, event->recorded_at_ms),
		   *occurred = tool_time(doc->tool, event->occurred_at_ms), *by = document_actor(doc, event);
	bool later = *occurred && strcmp(occurred, recorded) != 0;

	if (document_from(event))
		return DOCUMENT_PRINTF(doc, "Utfört %s i %s. Övertaget därifrån %s.", occurred,
			document_from(event), recorded);
	return DOCUMENT_PRINTF(doc, "%s%s%sDokumenterat %s%s%s.", later ? "Utfört " : "",
		later ? occurred : "", later ? ". " : "", recorded, *by ? " av " : "", by);
}

static const struct document_kind *kind_of(const Avvik__V1__Event *event)
{
	const ProtobufCMessage *body = av_body(&event->base);
	return document_kind(body ? body->descriptor->short_name : "");
}

void document_act(struct document *doc, const struct case_event *act, unsigned int level, const char *title)
{
	const ProtobufCMessage *body = av_body(&act->event->base);
	const char *heading = level == 3 ? "h3" : "h4";

	html_open(&doc->html, "section class=\"act\"");
	html_element(&doc->html, heading, title ? title : body ? body->descriptor->short_name : "Händelse");
	html_element(&doc->html, "p class=\"by\"", when_and_who(doc, act->event));
	facts_of(doc, body);
	document_sealed(doc, document_content(act->event), kind_of(act->event)->text);
	html_close(&doc->html, "section");
}

size_t document_acts(struct document *doc, enum document_section section)
{
	size_t count = 0;

	for (size_t i = 0; i < doc->events.count; i++) {
		const struct document_kind *kind = kind_of(doc->events.items[i].event);
		if (kind->section != section)
			continue;
		document_act(doc, &doc->events.items[i], 3, kind->title);
		count++;
	}
	return count;
}

const struct case_event *document_event(const struct document *doc, Avvik__V1__Event__BodyCase kind, size_t n)
{
	for (size_t i = 0; i < doc->events.count; i++)
		if (doc->events.items[i].event->body_case == kind && n-- == 0)
			return &doc->events.items[i];
	return NULL;
}
