/* feed_handlers.c - what intake tells: reports open cases, directories and rules are taken over
 *
 * A directory or rule pack is told once more in this journal, so that the records follow from it alone;
 * addresses are left out, since nobody here writes to anyone.
 */
#include "workflow.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name

static Avvik__V1__CaseKind kind_of(Avvik__V1__ReportType type)
{
	switch (type) {
	case AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION:
		return AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION;
	case AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH:
	case AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH_RISK:
		return AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	default:
		return AVVIK__V1__CASE_KIND__CASE_KIND_UNSPECIFIED;
	}
}

static bool is_leaf(const struct workflow_view *view, const char *code)
{
	const Avvik__V1__Unit *unit = view->org ? av_org_unit(view->org, code) : NULL;
	return unit && av_org_leaf(view->org, unit);
}

Avvik__V1__CaseOpened *workflow_open_case(struct av_ctx *ctx, const struct workflow_view *view,
	const struct workflow_pack *pack, const Avvik__V1__ReportFiled *filed, int64_t received_at_ms)
{
	Avvik__V1__CaseOpened *opened = AV_NEW(ctx->arena, Avvik__V1__CaseOpened, avvik__v1__case_opened);
	bool lex_sarah = kind_of(filed->type) == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;

	if (!opened)
		return NULL;
	opened->kind = kind_of(filed->type);
	opened->placed = is_leaf(view, filed->unit);
	if (lex_sarah && opened->placed && workflow_is_information(view, pack, filed->unit))
		opened->kind = AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION;
	lex_sarah = opened->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	opened->state =
		opened->placed && (filed->reporter_named || !lex_sarah) ? STATE(RECEIVED) : STATE(INCOMPLETE);
	opened->unit = filed->unit;
	opened->received_at_ms = received_at_ms;
	opened->noticed_at_ms = filed->noticed_at_ms;
	opened->occurred_at_ms = filed->occurred_from_at_ms;
	opened->registry_number = filed->registry_number;
	opened->number =
		case_next_number(ctx->txn, av_date_of(av_local_day(received_at_ms)).year, ctx->arena);
	opened->rules_version = pack ? pack->rules->version : (char *)"";
	opened->category = filed->category;
	opened->subcategory = filed->subcategory;
	opened->n_laws = filed->n_laws;
	opened->laws = filed->laws;
	opened->protected_identity = filed->protected_identity;
	opened->preliminary_degree = filed->preliminary_degree;
	opened->principal = filed->principal;
	opened->content = filed->content;
	opened->reporter_named = filed->reporter_named;
	opened->contact_given = filed->contact_given;
	opened->concerns = filed->concerns;
	if (ctx->event && ctx->event->actor)
		opened->reported_by = ctx->event->actor->person;
	if (lex_sarah)
		opened->legal_reference =
			(char *)workflow_reference(pack, "remedy", filed->laws, filed->n_laws);
	if (opened->kind == AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION)
		opened->legal_reference =
			(char *)workflow_reference(pack, "provider", filed->laws, filed->n_laws);
	return opened->number ? opened : NULL;
}

int64_t workflow_remedied_at(const Avvik__V1__ReportFiled *filed, int64_t received_at_ms, int64_t now_ms)
{
	int64_t first = 0;

	for (size_t i = 0; i < filed->n_remedied_at_ms; i++) {
		int64_t at_ms = filed->remedied_at_ms[i] > 0 ? AV_MIN(filed->remedied_at_ms[i], now_ms)
							     : received_at_ms;
		first = first == 0 ? at_ms : AV_MIN(first, at_ms);
	}
	return first;
}

static int tell_remedied(struct ledgers *ledgers, int64_t at_ms, const struct av_id *opened_id)
{
	struct av_ctx *ctx = ledgers->ctx;
	Avvik__V1__CaseRemedied *remedied =
		AV_NEW(ctx->arena, Avvik__V1__CaseRemedied, avvik__v1__case_remedied);
	struct av_emit_options options = {
		.case_id = &ledgers->case_id, .occurred_at_ms = at_ms, .cause_id = opened_id};
	struct av_id id;

	if (!remedied)
		return AV_MEMORY;
	remedied->by_report = true;
	id = av_emit(ctx, EVENT(CASE_REMEDIED), remedied, &options);
	return ledgers_fact(ledgers, AVVIK__V1__ANCHOR__ANCHOR_REMEDIED, at_ms, NULL, &id);
}

int on_report_filed(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ReportFiled *filed = (const Avvik__V1__ReportFiled *)body;
	struct av_id id = id_of(filed->report_id), opened_id;
	struct ledgers ledgers = {.ctx = ctx, .case_id = id};
	struct av_emit_options options = {.case_id = &id};
	struct workflow_view view;
	struct recurrence again;
	Avvik__V1__CaseOpened *opened;
	int64_t received_at_ms, first;
	unsigned int noted;
	int status;

	if (filed->report_id.len != AV_ID_SIZE ||
		kind_of(filed->type) == AVVIK__V1__CASE_KIND__CASE_KIND_UNSPECIFIED)
		return AV_INVALID;
	if (case_exists(ctx->txn, &id))
		return AV_NOTHING;
	status = workflow_view(ctx, &view);
	if (status != AV_OK)
		return status;
	received_at_ms = filed->received_at_ms > 0 ? filed->received_at_ms : ctx->event->recorded_at_ms;
	received_at_ms = AV_MIN(received_at_ms, ctx->now_ms);
	ledgers.pack = workflow_pack_on(&view, av_local_day(received_at_ms));
	opened = workflow_open_case(ctx, &view, ledgers.pack, filed, received_at_ms);
	if (!opened)
		return AV_MEMORY;
	ledgers.kind = opened->kind;
	ledgers.unit = opened->unit;
	ledgers.number = opened->number;
	options.occurred_at_ms = received_at_ms;
	opened_id = av_emit(ctx, EVENT(CASE_OPENED), opened, &options);
	status = ledgers_fact(&ledgers, AVVIK__V1__ANCHOR__ANCHOR_RECEIVED, received_at_ms, NULL, &opened_id);
	first = workflow_remedied_at(filed, received_at_ms, ctx->now_ms);
	if (status == AV_OK && first)
		status = tell_remedied(&ledgers, first, &opened_id);
	again = (struct recurrence){
		ctx, ledgers.pack, id, opened->number, opened->unit, opened->category, received_at_ms};
	return status == AV_OK ? recurrence_tell(&again, &opened_id, &noted) : status;
}

/* The reporter was asked, and has answered: the review goes on. */
static int answer_completion(
	struct av_ctx *ctx, const Avvik__V1__Case *found, const struct av_emit_options *options)
{
	Avvik__V1__CompletionAnswered *answered =
		AV_NEW(ctx->arena, Avvik__V1__CompletionAnswered, avvik__v1__completion_answered);
	struct ledgers ledgers = {.ctx = ctx,
		.case_id = *options->case_id,
		.kind = found->kind,
		.unit = found->unit,
		.number = found->number};
	Avvik__V1__CaseState next = case_next(found->kind, found->state, CASE_ACT_ANSWER);
	struct workflow_view view;
	struct av_id id;
	int status = next ? workflow_view(ctx, &view) : AV_OK;

	if (!answered)
		return AV_MEMORY;
	if (!next || status != AV_OK)
		return status;
	answered->state = next;
	answered->by_report = true;
	id = av_emit(ctx, EVENT(COMPLETION_ANSWERED), answered, options);
	ledgers.pack = workflow_pack(&view, found->rules_version);
	status = ledgers_load(&ledgers);
	return status == AV_OK ? ledgers_fact(&ledgers, AVVIK__V1__ANCHOR__ANCHOR_COMPLETION_ANSWERED,
					 options->occurred_at_ms, NULL, &id)
			       : status;
}

int on_report_supplemented(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ReportSupplemented *supplemented = (const Avvik__V1__ReportSupplemented *)body;
	struct av_id id = id_of(supplemented->report_id), content_id;
	struct av_emit_options options = {.case_id = &id, .occurred_at_ms = supplemented->received_at_ms};
	Avvik__V1__CaseSupplemented *told;
	Avvik__V1__Case *found;
	int status = case_load(ctx->txn, &id, ctx->arena, &found);

	if (status != AV_OK)
		return status;
	if (!supplemented->content)
		return AV_INVALID;
	content_id = id_of(supplemented->content->content_id);
	for (size_t i = 0; i < found->n_contents; i++) {
		struct av_id known = id_of(found->contents[i]->content_id);
		if (memcmp(&known, &content_id, sizeof(known)) == 0)
			return AV_NOTHING;
	}
	told = AV_NEW(ctx->arena, Avvik__V1__CaseSupplemented, avvik__v1__case_supplemented);
	if (!told)
		return AV_MEMORY;
	told->supplement_id = supplemented->supplement_id;
	told->content = supplemented->content;
	av_emit(ctx, EVENT(CASE_SUPPLEMENTED), told, &options);
	return answer_completion(ctx, found, &options);
}

static bool same_hash(const struct workflow_published *known, ProtobufCBinaryData hash)
{
	return hash.len == sizeof(known->hash) && memcmp(known->hash, hash.data, hash.len) == 0;
}

int on_directory_published(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__DirectoryPublished *published = (const Avvik__V1__DirectoryPublished *)body;
	struct workflow_published known;
	Avvik__V1__DirectoryPublished *told;

	if (!published->directory)
		return AV_INVALID;
	if (published_directory(ctx->txn, &known) == AV_OK && same_hash(&known, published->hash))
		return AV_NOTHING;
	told = AV_NEW(ctx->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	if (!told)
		return AV_MEMORY;
	told->directory = published->directory;
	told->hash = published->hash;
	av_emit(ctx, EVENT(DIRECTORY_PUBLISHED), told, NULL);
	return AV_OK;
}

int on_rules_published(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__RulesPublished *published = (const Avvik__V1__RulesPublished *)body;
	struct workflow_published known;

	if (!published->rules || !*published->rules->version)
		return AV_INVALID;
	if (published_rules(ctx->txn, published->rules->version, &known) ==
		AV_OK) /* cases keep the version they had */
		return same_hash(&known, published->hash) ? AV_NOTHING : AV_CONFLICT;
	av_emit(ctx, EVENT(RULES_PUBLISHED), (void *)(uintptr_t)published, NULL);
	return AV_OK;
}
