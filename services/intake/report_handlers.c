/* report_handlers.c - FileReport and SupplementReport.
 *
 * This is the way that thousands of reports a second take: one look at what is in force, the checks, four
 * packed parts, one event. Nothing is read from the journal here.
 */
#include <string.h>

#include "handlers.h"
#include "intake_store.h"
#include "intake_view.h"
#include "report_rules.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define PART(name) AVVIK__V1__CONTENT_PART__CONTENT_PART_##name
#define PARTS_MAX 4

struct parts {
	struct av_content_part list[PARTS_MAX];
	size_t count;
	bool failed;
};

static void parts_add(struct parts *parts, int part, const ProtobufCMessage *message, struct av_arena *arena)
{
	struct av_bytes packed = av_message_pack(message, arena);
	if (!packed.data)
		parts->failed = true;
	else
		parts->list[parts->count++] = (struct av_content_part){part, packed};
}

/* A sender whose units are limited may only file for them; a unit of theirs covers those below it. */
static bool may_file(const struct av_ctx *ctx, const struct view *view, const char *unit)
{
	const char *path[AV_ORG_DEPTH];
	size_t levels = view->org ? av_org_path(view->org, unit, path) : 0;
	for (size_t i = 0; i < levels; i++)
		if (av_principal_may_unit(ctx->principal, path[i]))
			return true;
	return levels == 0; /* an unknown unit is nobody's yet: the report is kept, and placed by a person */
}

/* What was said, with where the attachments are kept and what could not be read as a code. */
static Avvik__V1__ReportNarrative *narrative_kept(const Avvik__V1__ReportNarrative *said,
	Avvik__V1__Attachment **attachments, size_t attachment_count, const struct report_found *found,
	struct av_arena *arena)
{
	Avvik__V1__ReportNarrative *narrative =
		AV_NEW(arena, Avvik__V1__ReportNarrative, avvik__v1__report_narrative);
	char **references = av_arena_alloc(arena, (attachment_count + 1) * sizeof(*references));
	Avvik__V1__SentValue *values = av_arena_alloc(arena, REPORT_UNREAD_MAX * sizeof(*values));
	Avvik__V1__SentValue **unread = av_arena_alloc(arena, REPORT_UNREAD_MAX * sizeof(*unread));
	if (!narrative || !references || !values || !unread)
		return NULL;
	if (said)
		*narrative = *said;
	for (size_t i = 0; i < attachment_count; i++)
		references[i] = attachments[i]->reference;
	narrative->attachment_references = references;
	narrative->n_attachment_references = attachment_count;
	narrative->unread = unread;
	narrative->n_unread = found ? found->unread_count : 0;
	for (size_t i = 0; i < narrative->n_unread; i++) {
		avvik__v1__sent_value__init(&values[i]);
		values[i].path = text_of(found->unread[i].path);
		values[i].value = text_of(found->unread[i].value);
		unread[i] = &values[i];
	}
	return narrative;
}

static int seal_report(struct av_ctx *ctx, const Avvik__V1__FileReport *report,
	const struct report_found *found, Avvik__V1__ContentRef **ret_ref)
{
	struct parts parts = {.count = 0};
	Avvik__V1__ReportNarrative *narrative = narrative_kept(
		report->narrative, report->attachments, report->n_attachments, found, ctx->arena);
	if (!narrative)
		return AV_MEMORY;
	parts_add(&parts, PART(NARRATIVE), &narrative->base, ctx->arena);
	if (report->persons && (report->persons->n_affected || report->persons->n_parties))
		parts_add(&parts, PART(PERSONS), &report->persons->base, ctx->arena);
	if (report->reporter)
		parts_add(&parts, PART(REPORTER), &report->reporter->base, ctx->arena);
	if (found->contact_given && report->reporter) {
		Avvik__V1__Contact contact = AVVIK__V1__CONTACT__INIT;
		contact.name = report->reporter->name;
		contact.mail = report->reporter->mail;
		parts_add(&parts, PART(CONTACT), &contact.base, ctx->arena);
	}
	if (parts.failed)
		return AV_MEMORY;
	return av_seal_parts(ctx, parts.list, parts.count, ctx->packed, ret_ref);
}

static int faults_found(const struct av_faults *faults, struct av_arena *arena, Avvik__V1__ReportFiled *filed)
{
	size_t count = AV_MIN(faults->count, AV_FAULTS_MAX), at = 0;
	Avvik__V1__FaultFound *each = av_arena_alloc(arena, (count + 1) * sizeof(*each));
	Avvik__V1__FaultFound **list = av_arena_alloc(arena, (count + 1) * sizeof(*list));
	if (!each || !list)
		return AV_MEMORY;
	for (const struct av_fault *fault = faults->first; fault && at < count; fault = fault->next, at++) {
		avvik__v1__fault_found__init(&each[at]);
		each[at].path = text_of(fault->path);
		each[at].code = (Avvik__V1__FaultCode)fault->code;
		list[at] = &each[at];
	}
	filed->faults = list;
	filed->n_faults = at;
	return AV_OK;
}

static int remedied_times(
	const Avvik__V1__ReportNarrative *narrative, struct av_arena *arena, Avvik__V1__ReportFiled *filed)
{
	size_t count = narrative ? narrative->n_immediate_measures : 0;
	if (count == 0)
		return AV_OK;
	filed->remedied_at_ms = av_arena_alloc(arena, count * sizeof(*filed->remedied_at_ms));
	if (!filed->remedied_at_ms)
		return AV_MEMORY;
	for (size_t i = 0; i < count; i++)
		if (narrative->immediate_measures[i]->taken_at_ms > 0)
			filed->remedied_at_ms[filed->n_remedied_at_ms++] =
				narrative->immediate_measures[i]->taken_at_ms;
	return AV_OK;
}

/* Codes, times and flags; nothing that somebody wrote. */
static Avvik__V1__ReportFiled *report_filed(struct av_ctx *ctx, const Avvik__V1__FileReport *report,
	const struct report_found *found, const struct view *view)
{
	Avvik__V1__ReportFiled *filed = AV_NEW(ctx->arena, Avvik__V1__ReportFiled, avvik__v1__report_filed);
	if (!filed)
		return NULL;
	filed->type = report->type;
	filed->unit = text_of(found->unit);
	filed->concerns = report->concerns;
	filed->occurred_from_at_ms = report->occurred_from_at_ms;
	filed->occurred_until_at_ms = report->occurred_until_at_ms;
	filed->noticed_at_ms = report->noticed_at_ms;
	filed->received_at_ms = found->received_at_ms;
	filed->sent_at_ms = ctx->command->sent_at_ms;
	filed->channel = report->channel;
	filed->n_laws = report->n_laws;
	filed->laws = report->laws;
	filed->category = text_of(found->category);
	filed->subcategory = text_of(found->subcategory);
	filed->preliminary_degree = report->preliminary_degree;
	filed->protected_identity = report->protected_identity;
	filed->registry_number = text_of(found->registry_number);
	filed->principal = text_of(ctx->principal->name);
	filed->source_system = text_of(found->source_system);
	filed->reporter_named = found->reporter_named;
	filed->placed = found->placed;
	filed->contact_given = found->contact_given;
	filed->n_attachments = report->n_attachments;
	filed->attachments = attachments_filed(report->attachments, report->n_attachments, ctx->arena);
	if (view->directory) {
		filed->directory_version = av_arena_strdup(ctx->arena, view->directory->directory->version);
		if (!filed->directory_version)
			return NULL;
	}
	if (!filed->attachments || remedied_times(report->narrative, ctx->arena, filed) < 0 ||
		faults_found(&ctx->faults, ctx->arena, filed) < 0)
		return NULL;
	return filed;
}

static int accepted(struct av_ctx *ctx, const struct av_id *report_id, const Avvik__V1__ContentRef *ref,
	int64_t received_at_ms)
{
	Avvik__V1__ReportAccepted *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED);
	if (!reply)
		return AV_MEMORY;
	reply->report_id = binary_of(report_id);
	av_want_receipt(ctx, report_id, ref, received_at_ms);
	if (ctx->faults.count)
		ctx->reply->text =
			text_of("the report is kept; the faults say what somebody has to complete");
	return AV_OK;
}

int on_file_report(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__FileReport *report = (const Avvik__V1__FileReport *)body;
	const struct view *view;
	struct report_found found;
	int status = view_open(ctx, &view);
	if (status < 0)
		return status;
	if (!may_file(ctx, view, report->unit)) {
		av_fault(&ctx->faults, CODE(NOT_ALLOWED), "unit",
			"is not among the units that this sender files for: ask the administrator to add it");
		return AV_FORBIDDEN;
	}
	/* What the table keeps in spite of its form (a mail address, a year 9999) belongs to the faults of
	 * the report. */
	ctx->faults = *ctx->kept;
	int64_t received_ms = report_received_ms(report->received_at_ms, ctx->now_ms);
	const struct report_view seen = {view->org, view_rules(view, av_local_day(received_ms)), ctx->now_ms};
	report_check(report, &seen, &ctx->faults, &found);

	struct av_id made = av_ctx_id(ctx);
	struct av_id *report_id = av_arena_copy(ctx->arena, &made, sizeof(made));
	Avvik__V1__ReportFiled *filed = report_filed(ctx, report, &found, view);
	if (!report_id || !filed)
		return AV_MEMORY;
	status = seal_report(ctx, report, &found, &filed->content);
	if (status < 0)
		return status;
	filed->report_id = binary_of(report_id);
	av_emit(ctx, AVVIK__V1__EVENT__BODY_REPORT_FILED, filed,
		&(struct av_emit_options){.case_id = report_id, .occurred_at_ms = found.received_at_ms});
	return accepted(ctx, report_id, filed->content, found.received_at_ms);
}

static int seal_supplement(
	struct av_ctx *ctx, const Avvik__V1__SupplementReport *supplement, Avvik__V1__ContentRef **ret_ref)
{
	struct parts parts = {.count = 0};
	Avvik__V1__ReportNarrative *narrative = narrative_kept(
		supplement->narrative, supplement->attachments, supplement->n_attachments, NULL, ctx->arena);
	if (!narrative)
		return AV_MEMORY;
	parts_add(&parts, PART(NARRATIVE), &narrative->base, ctx->arena);
	if (supplement->persons && (supplement->persons->n_affected || supplement->persons->n_parties))
		parts_add(&parts, PART(PERSONS), &supplement->persons->base, ctx->arena);
	if (parts.failed)
		return AV_MEMORY;
	return av_seal_parts(ctx, parts.list, parts.count, ctx->packed, ret_ref);
}

int on_supplement_report(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__SupplementReport *supplement = (const Avvik__V1__SupplementReport *)body;
	struct av_id *ids =
		av_arena_alloc(ctx->arena, 2 * sizeof(*ids)); /* of the report, of the supplement */
	struct filing filing;
	if (!ids)
		return AV_MEMORY;
	int status = id_of(supplement->report_id, &ids[0])
			     ? filing_first(ctx->txn, &ids[0], ctx->arena, &filing)
			     : AV_NOT_FOUND;
	if (status == AV_NOT_FOUND)
		av_fault(&ctx->faults, CODE(UNKNOWN_REFERENCE), "report_id",
			"is no report here: send the id that stands in the receipt");
	if (status < 0)
		return status;
	if (strcmp(filing.principal, ctx->principal->name) != 0) {
		av_fault(&ctx->faults, CODE(NOT_ALLOWED), "report_id",
			"was filed by another sender: the one who filed a report supplements it");
		return AV_FORBIDDEN;
	}
	ctx->faults = *ctx->kept;
	if (supplement_check(supplement, ctx->now_ms, &ctx->faults) < 0)
		return AV_INVALID;

	Avvik__V1__ReportSupplemented *event =
		AV_NEW(ctx->arena, Avvik__V1__ReportSupplemented, avvik__v1__report_supplemented);
	if (!event)
		return AV_MEMORY;
	ids[1] = av_ctx_id(ctx);
	event->report_id = binary_of(&ids[0]);
	event->supplement_id = binary_of(&ids[1]);
	event->received_at_ms = report_received_ms(supplement->received_at_ms, ctx->now_ms);
	event->principal = text_of(ctx->principal->name);
	event->n_attachments = supplement->n_attachments;
	event->attachments =
		attachments_filed(supplement->attachments, supplement->n_attachments, ctx->arena);
	if (!event->attachments)
		return AV_MEMORY;
	status = seal_supplement(ctx, supplement, &event->content);
	if (status < 0)
		return status;
	av_emit(ctx, AVVIK__V1__EVENT__BODY_REPORT_SUPPLEMENTED, event,
		&(struct av_emit_options){.case_id = &ids[0], .occurred_at_ms = event->received_at_ms});
	return accepted(ctx, &ids[0], event->content, event->received_at_ms);
}

bool report_receipt_leaf(const Avvik__V1__Event *event, Avvik__V1__ReceiptLeaf *ret_leaf)
{
	const Avvik__V1__ContentRef *ref;
	if (event->body_case == AVVIK__V1__EVENT__BODY_REPORT_FILED) {
		ref = event->report_filed->content;
		ret_leaf->report_id = event->report_filed->report_id;
		ret_leaf->received_at_ms = event->report_filed->received_at_ms;
	} else if (event->body_case == AVVIK__V1__EVENT__BODY_REPORT_SUPPLEMENTED) {
		ref = event->report_supplemented->content;
		ret_leaf->report_id = event->report_supplemented->report_id;
		ret_leaf->received_at_ms = event->report_supplemented->received_at_ms;
	} else {
		return false;
	}
	if (ref)
		ret_leaf->commitment = ref->commitment;
	return true;
}
