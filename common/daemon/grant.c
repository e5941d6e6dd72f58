/* grant.c - grants: workflow signs that one person may read or erase stated content once, within sixty
 * seconds */
#include <string.h>

#include "daemon/turn_inner.h"

static int no(struct av_ctx *ctx, const char *text)
{
	av_fault(&ctx->faults, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED, "grant", "%s", text);
	if (ctx->reply)
		ctx->reply->text = (char *)(uintptr_t)text;
	return AV_FORBIDDEN;
}

int av_grant_check(struct av_ctx *ctx, const Avvik__V1__Grant *grant, Avvik__V1__GrantBody **ret_body)
{
	struct av_turn *turn = ctx->outcome->turn;
	const unsigned char *public_key = turn ? turn->o.grant_public : NULL;
	ProtobufCMessage *message;
	struct av_bytes used;
	if (!public_key)
		return no(ctx, "grants cannot be checked here: workflow's public signing key is missing");
	if (!grant || grant->signature.len != AV_SIGNATURE_SIZE)
		return no(ctx, "there is no signed grant");
	struct av_bytes packed = av_bytes(grant->body.data, grant->body.len);
	if (av_sign_check(public_key, AV_GRANT_CONTEXT, packed, grant->signature.data) < 0)
		return no(ctx, "the grant was not signed by workflow, or it was changed");
	int status = av_message_unpack(&avvik__v1__grant_body__descriptor, packed, AV_WIRE_LIMITS_COMMAND,
		ctx->arena, &ctx->faults, &message);
	if (status < 0)
		return status == AV_MEMORY ? status : no(ctx, "the grant cannot be read");
	Avvik__V1__GrantBody *body = (Avvik__V1__GrantBody *)message;
	if (body->grant_id.len != AV_ID_SIZE || strcmp(body->instance, ctx->instance) != 0)
		return no(ctx, "the grant is for another instance");
	if (!ctx->principal || strcmp(body->principal, ctx->principal->name) != 0)
		return no(ctx, "the grant was given to another system");
	if (!ctx->command || strcmp(body->person, ctx->command->on_behalf_of) != 0)
		return no(ctx, "the grant was given to another person");
	if (body->expires_at_ms <= ctx->now_ms)
		return no(ctx, "the grant has expired: ask workflow for a new one");
	status = av_get(ctx->txn, AV_TABLE_GRANTS, av_bytes(body->grant_id.data, body->grant_id.len), &used);
	if (status == AV_OK)
		return no(ctx, "the grant has been used: ask workflow for a new one");
	if (status != AV_NOT_FOUND)
		return status;
	*ret_body = body;
	return AV_OK;
}

int av_grant_sign(struct av_ctx *ctx, const Avvik__V1__GrantBody *body, Avvik__V1__Grant **ret_grant)
{
	struct av_turn *turn = ctx->outcome->turn;
	Avvik__V1__Grant *grant = AV_NEW(ctx->arena, Avvik__V1__Grant, avvik__v1__grant);
	struct av_bytes packed = av_message_pack(&body->base, ctx->arena);
	unsigned char *signature = av_arena_alloc(ctx->arena, AV_SIGNATURE_SIZE);
	if (!turn)
		return AV_UNSUPPORTED;
	if (!grant || !packed.data || !signature)
		return AV_MEMORY;
	av_sign(turn->o.sign_secret, AV_GRANT_CONTEXT, packed, signature);
	grant->body = (ProtobufCBinaryData){packed.size, (uint8_t *)(uintptr_t)packed.data};
	grant->signature = (ProtobufCBinaryData){AV_SIGNATURE_SIZE, signature};
	*ret_grant = grant;
	return AV_OK;
}
