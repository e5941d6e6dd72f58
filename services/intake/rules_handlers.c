/* rules_handlers.c - PublishRules and GetRules. */
#include <string.h>

#include "handlers.h"
#include "intake_store.h"
#include "intake_view.h"
#include "seal/crypto.h"

#define CODE(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

static int accept(struct av_ctx *ctx, const char *version)
{
	Avvik__V1__RulesAccepted *reply = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_RULES_ACCEPTED);
	if (!reply)
		return AV_MEMORY;
	reply->version = text_of(version);
	return AV_OK;
}

static int emit_published(struct av_ctx *ctx, const Avvik__V1__PublishRules *order, const unsigned char *hash)
{
	Avvik__V1__RulesPublished *event =
		AV_NEW(ctx->arena, Avvik__V1__RulesPublished, avvik__v1__rules_published);
	if (!event)
		return AV_MEMORY;
	event->rules = order->rules;
	event->hash = (ProtobufCBinaryData){AV_HASH_SIZE, (uint8_t *)(uintptr_t)hash};
	if (*order->reason) {
		event->reason = AV_NEW(ctx->arena, Avvik__V1__ReasonGiven, avvik__v1__reason_given);
		if (!event->reason)
			return AV_MEMORY;
		event->reason->text = order->reason;
	}
	av_emit(ctx, AVVIK__V1__EVENT__BODY_RULES_PUBLISHED, event, NULL);
	return AV_OK;
}

int on_publish_rules(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const Avvik__V1__PublishRules *order = (const Avvik__V1__PublishRules *)body;
	const Avvik__V1__RulePack *rules = order->rules;
	const struct view *view;
	struct published known;
	struct av_bytes packed = av_message_pack(&rules->base, ctx->arena);
	unsigned char *hash = av_arena_alloc(ctx->arena, AV_HASH_SIZE);
	int status = packed.data && hash ? view_open(ctx, &view) : AV_MEMORY;
	if (status < 0)
		return status;
	av_hash(packed, hash);
	ctx->faults.prefix = "rules.";
	status = rules_find(ctx->txn, rules->version, &known);
	if (status == AV_OK && memcmp(known.hash, hash, AV_HASH_SIZE) == 0) {
		ctx->reply->text = text_of("this rule pack has been published already: nothing was changed");
		return accept(ctx, rules->version);
	}
	if (status == AV_OK) {
		av_fault(&ctx->faults, CODE(DUPLICATE), "version",
			"has been published with another content: give the new rule pack a version of its "
			"own");
		return AV_CONFLICT;
	}
	if (status != AV_NOT_FOUND)
		return status;
	status = rulepack_check(rules, ctx->arena, &ctx->faults);
	if (status < 0 && status != AV_INVALID)
		return status;
	rulepack_check_days(rules, view->days, view->rules_count, &ctx->faults);
	if (ctx->faults.count)
		return AV_INVALID;
	status = emit_published(ctx, order, hash);
	return status < 0 ? status : accept(ctx, rules->version);
}

int on_get_rules(struct av_ctx *ctx, const ProtobufCMessage *body)
{
	const char *version = ((const Avvik__V1__GetRules *)body)->version;
	const Avvik__V1__RulePack *rules = NULL;
	const struct view *view;
	int status = view_open(ctx, &view);
	if (status < 0)
		return status;
	if (!*version)
		rules = view_rules(view, av_local_day(ctx->now_ms));
	for (size_t i = 0; *version && i < view->rules_count; i++)
		if (strcmp(view->rules[i]->version, version) == 0)
			rules = view->rules[i];
	if (!rules) {
		ctx->reply->text = text_of(*version ? "there is no rule pack of this version"
						    : "no rule pack holds today: `avvik rules publish FILE`");
		return AV_NOT_FOUND;
	}
	Avvik__V1__RulesFound *found = av_reply_body(ctx, AVVIK__V1__REPLY__BODY_RULES_FOUND);
	if (!found)
		return AV_MEMORY;
	found->rules = (Avvik__V1__RulePack *)av_message_copy(&rules->base, ctx->arena);
	return found->rules ? AV_OK : AV_MEMORY;
}
