/* act_correct.c - what was filed by mistake is erased, and something else stands in its place
 *
 * The parts of a content lie under one key, so erasing takes all of them: the order gives each part anew, corrected or
 * as it was. What is corrected is sealed here. A wrong content that lies here is erased in the same turn; one that
 * intake holds is erased there by the grant in the reply, and is not read by anybody from now on. Who corrected it,
 * when and why, and the commitment to what was wrong, stay.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define PART(name) AVVIK__V1__CONTENT_PART__CONTENT_PART_##name
#define PARTS 4

struct given_part {
	Avvik__V1__ContentPart part;
	const char *field;
	const ProtobufCMessage *body; /* NULL: not given */
};

static void given_parts(const Avvik__V1__CorrectContent *correct, struct given_part ret_given[PARTS])
{
	ret_given[0] = (struct given_part){PART(TEXT), "text", correct->text ? &correct->text->base : NULL};
	ret_given[1] = (struct given_part){
		PART(NARRATIVE), "narrative", correct->narrative ? &correct->narrative->base : NULL};
	ret_given[2] = (struct given_part){
		PART(PERSONS), "persons", correct->persons ? &correct->persons->base : NULL};
	ret_given[3] = (struct given_part){
		PART(REPORTER), "reporter", correct->reporter ? &correct->reporter->base : NULL};
}

static bool has_part(const Avvik__V1__ContentRef *ref, Avvik__V1__ContentPart part)
{
	for (size_t i = 0; i < ref->n_parts; i++)
		if (ref->parts[i] == part)
			return true;
	return false;
}

void act_read_correction(struct act *act)
{
	ProtobufCBinaryData content_id = act->order->correct_content->content_id;
	struct av_id id = id_of(content_id);
	unsigned int bits;

	if (!content_ref(act->found, content_id))
		act->intent.other = CASE_GUARD_CONTENT_UNKNOWN;
	else if (case_correction(act->found, content_id))
		act->intent.other = CASE_GUARD_CONTENT_CORRECTED;
	else if (av_content_parts(act->ctx->txn, &id, &bits) == AV_ERASED)
		act->intent.other = CASE_GUARD_CONTENT_ERASED;
}

static void check_correct(struct act *act)
{
	const Avvik__V1__CorrectContent *correct = act->order->correct_content;
	const Avvik__V1__RulePack *rules = act->pack->rules;
	const Avvik__V1__ContentRef *ref = content_ref(act->found, correct->content_id);
	struct given_part given[PARTS];

	act_need_code(act, rules->erasure_reasons, rules->n_erasure_reasons, correct->reason, "reason",
		"erasure_reasons");
	given_parts(correct, given);
	for (size_t i = 0; ref && i < PARTS; i++) {
		bool has = has_part(ref, given[i].part);
		if (has && !given[i].body)
			av_fault(&act->ctx->faults, FAULT(REQUIRED), given[i].field,
				"the content has this part, and erasing takes the whole content: give the "
				"part, "
				"corrected or as it was");
		if (!has && given[i].body)
			av_fault(&act->ctx->faults, FAULT(CONTRADICTION), given[i].field,
				"the content has no such part: leave it out, or give the id of the content "
				"that "
				"has it");
	}
	if (correct->text)
		act_need(act, correct->text->text, "text.text", "the text as it should be");
	if (correct->narrative)
		act_need(act, correct->narrative->description, "narrative.description",
			"what happened, as it should be told");
	if (correct->reporter)
		act_need_reporter(act, correct->reporter);
}

/* The name and address of a reporter stand apart, for notification alone. */
static bool contact_of(const Avvik__V1__CorrectContent *correct, Avvik__V1__Contact *ret_contact)
{
	if (!correct->reporter || !*correct->reporter->mail)
		return false;
	ret_contact->name = correct->reporter->name;
	ret_contact->mail = correct->reporter->mail;
	ret_contact->phone = correct->reporter->phone;
	return true;
}

static int seal(struct act *act, Avvik__V1__ContentRef **ret_ref)
{
	const Avvik__V1__CorrectContent *correct = act->order->correct_content;
	Avvik__V1__Contact contact = AVVIK__V1__CONTACT__INIT;
	struct av_content_part parts[PARTS + 1];
	struct given_part given[PARTS];
	size_t count = 0;

	given_parts(correct, given);
	for (size_t i = 0; i < PARTS; i++) {
		if (!given[i].body)
			continue;
		parts[count] = (struct av_content_part){
			(int)given[i].part, av_message_pack(given[i].body, act->ctx->arena)};
		if (!parts[count++].body.data)
			return AV_MEMORY;
	}
	if (contact_of(correct, &contact)) {
		parts[count] = (struct av_content_part){
			PART(CONTACT), av_message_pack(&contact.base, act->ctx->arena)};
		if (!parts[count++].body.data)
			return AV_MEMORY;
	}
	return av_seal_parts(act->ctx, parts, count, parts[0].body, ret_ref);
}

/* Here and now. */
static int erase_ours(struct act *act, const Avvik__V1__ContentRef *wrong, const struct av_id *because)
{
	Avvik__V1__ContentErased *erased = ACT_NEW(act, ContentErased, content_erased);
	struct av_emit_options options = {.case_id = &act->case_id, .cause_id = because};
	struct av_id id = id_of(wrong->content_id);

	if (!erased)
		return AV_MEMORY;
	erased->content_id = wrong->content_id;
	erased->key_number = wrong->key_number;
	erased->person = act->ctx->command->on_behalf_of;
	erased->reason = act->order->correct_content->reason;
	av_emit(act->ctx, EVENT(CONTENT_ERASED), erased, &options);
	av_erase_content(act->ctx, &id);
	return AV_OK;
}

/* There, by whoever presents the grant. */
static int grant_theirs(struct act *act, const Avvik__V1__ContentRef *wrong)
{
	static char holder[] = CONTENT_HOLDER_INTAKE;
	Avvik__V1__ContentItem *item = ACT_NEW(act, ContentItem, content_item);
	struct content_grant wanted = {.found = act->found,
		.kind = AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE,
		.purpose = act->order->correct_content->reason,
		.items = &item,
		.count = 1,
		.holder = holder};

	if (!item)
		return AV_MEMORY;
	item->content_id = wrong->content_id;
	item->n_parts = wrong->n_parts;
	item->parts = wrong->parts;
	item->holder = holder;
	return content_grant(act->ctx, &wanted, &act->accepted->grant);
}

static int write_correct(struct act *act)
{
	const Avvik__V1__CorrectContent *correct = act->order->correct_content;
	const Avvik__V1__ContentRef *wrong = content_ref(act->found, correct->content_id);
	Avvik__V1__ContentCorrected *corrected = ACT_NEW(act, ContentCorrected, content_corrected);
	struct av_id id = id_of(correct->content_id), event;
	bool ours = content_is_ours(act->ctx, &id);
	int status = corrected ? seal(act, &corrected->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	corrected->content_id = correct->content_id;
	corrected->reason = correct->reason;
	corrected->commitment = wrong->commitment;
	corrected->n_parts = wrong->n_parts;
	corrected->parts = wrong->parts;
	corrected->holder = (char *)(ours ? CONTENT_HOLDER_WORKFLOW : CONTENT_HOLDER_INTAKE);
	corrected->erased = ours;
	event = act_emit(act, EVENT(CONTENT_CORRECTED), corrected);
	status = ours ? erase_ours(act, wrong, &event) : grant_theirs(act, wrong);
	if (status == AV_OK && act->found->notifications)
		status = act_warn(act, "correct_content.content_id",
			"IVO has been notified of the case: if what was wrong has been sent there, tell IVO "
			"of "
			"the correction");
	return status;
}

/* Intake tells that it has erased what was corrected. */
int on_content_erased(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__ContentErased *erased = (const Avvik__V1__ContentErased *)body;
	struct av_id case_id = id_of(ctx->event->case_id);
	struct av_emit_options options = {
		.case_id = &case_id, .occurred_at_ms = ctx->event->recorded_at_ms, .person = erased->person};
	const Avvik__V1__Correction *correction = NULL;
	Avvik__V1__CorrectionCompleted *completed;
	Avvik__V1__Case *found;
	int status;

	if (!ctx->event->case_id.len || !case_exists(ctx->txn, &case_id))
		return AV_NOTHING; /* of no case: somebody's address in a directory */
	status = case_load(ctx->txn, &case_id, ctx->arena, &found);
	if (status == AV_OK)
		correction = case_correction(found, erased->content_id);
	if (status != AV_OK || !correction || correction->erased_at_ms)
		return status == AV_OK ? AV_NOTHING : status;
	completed = AV_NEW(ctx->arena, Avvik__V1__CorrectionCompleted, avvik__v1__correction_completed);
	if (!completed)
		return AV_MEMORY;
	completed->content_id = erased->content_id;
	av_emit(ctx, EVENT(CORRECTION_COMPLETED), completed, &options);
	return AV_OK;
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(CORRECT_CONTENT), "correct_content", check_correct, write_correct },
}; /* clang-format on */
const struct act_rows act_rows_correct = {rows, AV_COUNT(rows)};
