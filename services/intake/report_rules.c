/* report_rules.c - see report_rules.h
 *
 * The wire's table has already listed what is not of the form asked for (a mail address, a time after 2200);
 * a path that has a fault gets no second one here. Texts name the remedy and never repeat what was sent.
 */
#include "report_rules.h"

#include <string.h>
#include "code_text.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define LAST_INSTANT INT64_C(7258118400000) /* 2200-01-01: later is not a time */

static bool listed(const struct av_faults *faults, const char *path)
{
	for (const struct av_fault *fault = faults->first; fault; fault = fault->next)
		if (strcmp(fault->path, path) == 0)
			return true;
	return false;
}

static bool is_time(int64_t instant_ms)
{
	return instant_ms > 0 && instant_ms < LAST_INSTANT;
}

int64_t report_received_ms(int64_t said_ms, int64_t now_ms)
{
	return is_time(said_ms) ? said_ms : now_ms;
}

static void check_unit(const Avvik__V1__FileReport *report, const struct report_view *view,
	struct av_faults *faults, struct report_found *found)
{
	const Avvik__V1__Unit *unit = view->org && *found->unit ? av_org_unit(view->org, found->unit) : NULL;
	if (text_is_blank(report->unit))
		av_fault(faults, CODE(REQUIRED), "unit",
			"is missing: the report is kept, and somebody has to say which unit it concerns");
	else if (!*found->unit)
		return; /* not a code, and said so */
	else if (!view->org)
		av_fault(faults, CODE(UNKNOWN_REFERENCE), "unit",
			"cannot be looked up, since no directory has been published: the report waits to be "
			"placed");
	else if (!unit)
		av_fault(faults, CODE(UNKNOWN_REFERENCE), "unit",
			"is not in the directory: send the code of a unit, or have the report placed");
	else if (!av_org_leaf(view->org, unit))
		av_fault(faults, CODE(UNKNOWN_REFERENCE), "unit",
			"has units below it: send the code of the unit where it happened, or have the report "
			"placed");
	else
		found->placed = true;
}

static const Avvik__V1__Code *category_of(const Avvik__V1__RulePack *rules, const char *code)
{
	for (size_t i = 0; i < rules->n_categories; i++)
		if (strcmp(rules->categories[i]->code, code) == 0)
			return rules->categories[i];
	return NULL;
}

static void check_category(
	const struct report_view *view, struct av_faults *faults, const struct report_found *found)
{
	const Avvik__V1__Code *category, *subcategory;
	if (!*found->category && !*found->subcategory)
		return;
	if (!view->rules) {
		av_fault(faults, CODE(UNKNOWN_REFERENCE), *found->category ? "category" : "subcategory",
			"cannot be looked up, since no rule pack holds on the day it was received: "
			"the category is set when the case is handled");
		return;
	}
	category = *found->category ? category_of(view->rules, found->category) : NULL;
	subcategory = *found->subcategory ? category_of(view->rules, found->subcategory) : NULL;
	if (*found->category && (!category || *category->parent))
		av_fault(faults, CODE(UNKNOWN_VALUE), "category",
			"is not a category of the rule pack: see its `categories` that have no parent");
	if (*found->subcategory && (!subcategory || !*subcategory->parent))
		av_fault(faults, CODE(UNKNOWN_VALUE), "subcategory",
			"is not a subcategory of the rule pack: see its `categories` that have a parent");
	else if (subcategory && strcmp(subcategory->parent, found->category) != 0)
		av_fault(faults, CODE(CONTRADICTION), "subcategory",
			"belongs to another category: send the category that is its parent");
}

static void check_not_ahead(int64_t instant_ms, int64_t now_ms, const char *path, struct av_faults *faults)
{
	if (is_time(instant_ms) && instant_ms > now_ms + REPORT_FUTURE_MS && !listed(faults, path))
		av_fault(faults, CODE(OUT_OF_RANGE), path,
			"is in the future: it is kept as sent; check the clock of the sender");
}

/* Both given, and in the wrong order. */
static bool before(int64_t later_ms, int64_t earlier_ms)
{
	return is_time(later_ms) && is_time(earlier_ms) && later_ms < earlier_ms;
}

static void check_times(const Avvik__V1__FileReport *report, const struct report_view *view,
	struct av_faults *faults, int64_t received_ms)
{
	check_not_ahead(report->occurred_from_at_ms, view->now_ms, "occurred_from_at_ms", faults);
	check_not_ahead(report->occurred_until_at_ms, view->now_ms, "occurred_until_at_ms", faults);
	check_not_ahead(report->noticed_at_ms, view->now_ms, "noticed_at_ms", faults);
	check_not_ahead(report->received_at_ms, view->now_ms, "received_at_ms", faults);
	if (report->occurred_until_at_ms != 0 && report->occurred_from_at_ms == 0)
		av_fault(faults, CODE(REQUIRED), "occurred_from_at_ms",
			"is missing though it is said when it ended: send when it began");
	if (before(report->occurred_until_at_ms, report->occurred_from_at_ms))
		av_fault(faults, CODE(CONTRADICTION), "occurred_until_at_ms",
			"is before it began: send the end of what happened");
	if (before(report->noticed_at_ms, report->occurred_from_at_ms))
		av_fault(faults, CODE(CONTRADICTION), "noticed_at_ms",
			"is before it happened: send when it was noticed");
	if (before(received_ms, report->noticed_at_ms) &&
		report->noticed_at_ms > received_ms + REPORT_FUTURE_MS)
		av_fault(faults, CODE(CONTRADICTION), "received_at_ms",
			"is before it was noticed: send when the organisation received the report");
	else if (before(received_ms, report->occurred_from_at_ms) &&
		 report->occurred_from_at_ms > received_ms + REPORT_FUTURE_MS)
		av_fault(faults, CODE(CONTRADICTION), "received_at_ms",
			"is before it happened: send when the organisation received the report");
	if (!report->narrative)
		return;
	for (size_t i = 0; i < report->narrative->n_immediate_measures; i++) {
		int64_t taken_ms = report->narrative->immediate_measures[i]->taken_at_ms;
		if (is_time(taken_ms) && taken_ms > view->now_ms + REPORT_FUTURE_MS)
			check_not_ahead(taken_ms, view->now_ms,
				path_of(faults, "narrative.immediate_measures[%zu].taken_at_ms", i), faults);
	}
}

static bool is_lex_sarah(Avvik__V1__ReportType type)
{
	return type == AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH ||
	       type == AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH_RISK;
}

static void check_reporter(
	const Avvik__V1__FileReport *report, struct av_faults *faults, struct report_found *found)
{
	const Avvik__V1__Reporter *reporter = report->reporter;
	found->reporter_named = reporter && !text_is_blank(reporter->name);
	found->contact_given = reporter && *reporter->mail && !listed(faults, "reporter.mail");
	if (!found->reporter_named && is_lex_sarah(report->type))
		av_fault(faults, CODE(REQUIRED), "reporter.name",
			"is missing: a lex Sarah report needs a named reporter; somebody has to find out who "
			"it is");
}

static void check_attachments(Avvik__V1__Attachment **attachments, size_t count, struct av_faults *faults)
{
	for (size_t i = 0; i < count; i++)
		if (*attachments[i]->media_type && !code_is_media(attachments[i]->media_type))
			av_fault(faults, CODE(MALFORMED), path_of(faults, "attachments[%zu].media_type", i),
				"is not a media type: send it as application/pdf");
}

/* The value when it is of the form, else nothing: what is no code may be a sentence about someone. */
static const char *only_code(const char *path, const char *value, bool (*is_code)(const char *text),
	struct av_faults *faults, struct report_found *found)
{
	if (!*value || is_code(value))
		return value;
	if (!listed(faults, path))
		av_fault(faults, CODE(MALFORMED), path,
			"is not a code: it is kept with the report's content, and left out of the case");
	found->unread[found->unread_count].path = path;
	found->unread[found->unread_count++].value = value;
	return "";
}

void report_check(const Avvik__V1__FileReport *report, const struct report_view *view,
	struct av_faults *faults, struct report_found *ret_found)
{
	struct report_found found = {
		.received_at_ms = report_received_ms(report->received_at_ms, view->now_ms)};
	found.unit = only_code("unit", report->unit, code_is, faults, &found);
	found.category = only_code("category", report->category, code_is, faults, &found);
	found.subcategory = only_code("subcategory", report->subcategory, code_is, faults, &found);
	found.registry_number =
		only_code("registry_number", report->registry_number, code_is_registry, faults, &found);
	found.source_system = only_code("source_system", report->source_system, code_is, faults, &found);
	check_unit(report, view, faults, &found);
	check_category(view, faults, &found);
	check_times(report, view, faults, found.received_at_ms);
	check_reporter(report, faults, &found);
	check_attachments(report->attachments, report->n_attachments, faults);
	if (!report->narrative || text_is_blank(report->narrative->description))
		av_fault(faults, CODE(REQUIRED), "narrative.description",
			"is missing: the report is kept; send what happened as a supplement");
	*ret_found = found;
}

int supplement_check(const Avvik__V1__SupplementReport *supplement, int64_t now_ms, struct av_faults *faults)
{
	if (!supplement->narrative || text_is_blank(supplement->narrative->description)) {
		av_fault(faults, CODE(REQUIRED), "narrative.description",
			"is missing: send what is to be added");
		return AV_INVALID;
	}
	check_not_ahead(supplement->received_at_ms, now_ms, "received_at_ms", faults);
	check_attachments(supplement->attachments, supplement->n_attachments, faults);
	return AV_OK;
}

Avvik__V1__AttachmentFiled **attachments_filed(
	Avvik__V1__Attachment **attachments, size_t count, struct av_arena *arena)
{
	Avvik__V1__AttachmentFiled **filed = av_arena_alloc(arena, (count + 1) * sizeof(*filed));
	Avvik__V1__AttachmentFiled *each = av_arena_alloc(arena, (count + 1) * sizeof(*each));
	if (!filed || !each)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const Avvik__V1__Attachment *attachment = attachments[i];
		avvik__v1__attachment_filed__init(&each[i]);
		each[i].hash = attachment->hash;
		each[i].size_bytes = attachment->size_bytes;
		if (code_is_media(attachment->media_type))
			each[i].media_type = attachment->media_type;
		filed[i] = &each[i];
	}
	return filed;
}
