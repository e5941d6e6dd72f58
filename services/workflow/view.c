/* view.c - organisation and rules as the handlers see them, kept per thread, and who may act */
#include "cache.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "org/reference.h"

void *workflow_cache_create(void)
{
	struct cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->directory_arena = av_arena_create(0);
	cache->rules_arena = av_arena_create(0);
	if (!cache->directory_arena || !cache->rules_arena) {
		workflow_cache_destroy(cache);
		return NULL;
	}
	return cache;
}

void workflow_cache_destroy(void *data)
{
	struct cache *cache = data;

	if (!cache)
		return;
	av_arena_destroy(&cache->directory_arena);
	av_arena_destroy(&cache->rules_arena);
	reach_kept_destroy(cache->reach);
	free(cache);
}

static const struct av_id no_id;

static bool same_id(const struct av_id *a, const struct av_id *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The stamp is the id of the publishing event, so that a turn that was undone leaves nothing that looks
 * current. */
static int read_directory(struct cache *cache, struct av_txn *txn)
{
	struct workflow_published found;
	ProtobufCMessage *directory;
	int status = published_directory(txn, &found);

	if (status != AV_OK && status != AV_NOT_FOUND)
		return status;
	if (same_id(status == AV_OK ? &found.stamp : &no_id, &cache->directory_stamp))
		return AV_OK;
	av_arena_reset(cache->directory_arena);
	cache->org = NULL;
	cache->directory_stamp = no_id;
	if (status == AV_NOT_FOUND)
		return AV_OK;
	status = av_message_load(
		&avvik__v1__directory__descriptor, found.packed, cache->directory_arena, &directory);
	if (status != AV_OK)
		return status;
	cache->org = av_org_create((const Avvik__V1__Directory *)directory, cache->directory_arena);
	if (!cache->org)
		return AV_MEMORY;
	cache->directory_stamp = found.stamp;
	return AV_OK;
}

static int read_packs(struct cache *cache, struct av_txn *txn)
{
	struct av_iter it = av_iter(txn, TABLE_PUBLISHED, av_bytes("R", 1), av_bytes(NULL, 0));
	size_t room = av_table_count(txn, TABLE_PUBLISHED);
	int status = AV_OK;

	cache->packs = av_arena_zalloc(cache->rules_arena, room * sizeof(*cache->packs) + 1);
	if (!cache->packs)
		status = AV_MEMORY;
	while (status == AV_OK && cache->pack_count < room && av_iter_next(&it)) {
		struct workflow_pack *pack = &cache->packs[cache->pack_count];
		ProtobufCMessage *rules;

		if (it.value.size < AV_ID_SIZE + 32) {
			status = AV_DAMAGED;
			break;
		}
		status = av_message_load(&avvik__v1__rule_pack__descriptor,
			av_bytes((const char *)it.value.data + AV_ID_SIZE + 32,
				it.value.size - AV_ID_SIZE - 32),
			cache->rules_arena, &rules);
		if (status != AV_OK)
			break;
		pack->rules = (const Avvik__V1__RulePack *)rules;
		memcpy(pack->published.bytes, it.value.data, AV_ID_SIZE);
		pack->calendar = deadline_calendar_of(pack->rules, cache->rules_arena);
		cache->pack_count++;
	}
	av_iter_end(&it);
	return status;
}

static int read_rules(struct cache *cache, struct av_txn *txn)
{
	struct av_id stamp = no_id;
	int status = published_rules_stamp(txn, &stamp);

	if (status != AV_OK && status != AV_NOT_FOUND)
		return status;
	if (same_id(&stamp, &cache->rules_stamp))
		return AV_OK;
	av_arena_reset(cache->rules_arena);
	cache->packs = NULL;
	cache->pack_count = 0;
	cache->rules_stamp = no_id;
	status = read_packs(cache, txn);
	if (status == AV_OK)
		cache->rules_stamp = stamp;
	return status;
}

int workflow_view(struct av_ctx *ctx, struct workflow_view *ret_view)
{
	struct cache *cache = ctx->cache;
	int status = read_directory(cache, ctx->txn);

	if (status == AV_OK)
		status = read_rules(cache, ctx->txn);
	if (status == AV_OK)
		*ret_view = (struct workflow_view){cache->org, cache->packs, cache->pack_count};
	return status;
}

const struct workflow_pack *workflow_pack(const struct workflow_view *view, const char *version)
{
	for (size_t i = 0; *version && i < view->pack_count; i++)
		if (strcmp(view->packs[i].rules->version, version) == 0)
			return &view->packs[i];
	return NULL;
}

/* Of two that begin on the same day, the one published last has taken the other's place. */
static bool takes_place_of(const struct workflow_pack *pack, const struct workflow_pack *other)
{
	if (!other || pack->rules->valid_from_on != other->rules->valid_from_on)
		return !other || pack->rules->valid_from_on > other->rules->valid_from_on;
	return memcmp(pack->published.bytes, other->published.bytes, AV_ID_SIZE) > 0;
}

const struct workflow_pack *workflow_pack_on(const struct workflow_view *view, av_day day)
{
	const struct workflow_pack *best = NULL;

	for (size_t i = 0; i < view->pack_count; i++) {
		const Avvik__V1__RulePack *rules = view->packs[i].rules;
		if (rules->valid_from_on > day || (rules->valid_until_on && rules->valid_until_on < day))
			continue;
		if (takes_place_of(&view->packs[i], best))
			best = &view->packs[i];
	}
	return best;
}

const char *workflow_reference(
	const struct workflow_pack *pack, const char *id, const Avvik__V1__Law *laws, size_t count)
{
	return pack ? av_reference(pack->rules, id, laws, count) : "";
}

const Avvik__V1__Code *workflow_code(Avvik__V1__Code *const *codes, size_t count, const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(codes[i]->code, code) == 0)
			return codes[i];
	return NULL;
}

/* --- who --- */

int workflow_refuse(struct av_ctx *ctx, int status, int code, const char *path, const char *text_format, ...)
{
	char text[400];
	va_list args;

	va_start(args, text_format);
	vsnprintf(text, sizeof(text), text_format, args);
	va_end(args);
	av_fault(&ctx->faults, code, path, "%s", text);
	if (ctx->reply)
		ctx->reply->text = av_arena_strdup(ctx->arena, text);
	return status;
}

/* The unit and all above it; of an unknown unit the committee, to which it is a task. */
static size_t path_of(const struct workflow_view *view, const char *unit, const char *ret_codes[AV_ORG_DEPTH])
{
	size_t count = view->org ? av_org_path(view->org, unit, ret_codes) : 0;
	const Avvik__V1__Directory *directory = view->org ? av_org_directory(view->org) : NULL;

	for (size_t i = 0; count == 0 && directory && i < directory->n_units; i++)
		if (!*directory->units[i]->parent) {
			ret_codes[count++] = directory->units[i]->code;
			break;
		}
	return count;
}

bool workflow_principal_covers(const struct av_ctx *ctx, const struct workflow_view *view, const char *unit)
{
	const char *codes[AV_ORG_DEPTH];
	size_t count;

	if (!ctx->principal)
		return false;
	if (!ctx->principal->units)
		return true;
	count = path_of(view, unit, codes);
	for (size_t i = 0; i < count; i++)
		if (av_principal_may_unit(ctx->principal, codes[i]))
			return true;
	return false;
}

bool workflow_sees_case(
	const struct av_ctx *ctx, const struct workflow_view *view, const Avvik__V1__Case *found)
{
	return workflow_principal_covers(ctx, view, found->unit);
}

bool workflow_act_rule_concerns(const Avvik__V1__ActRule *rule, Avvik__V1__CaseKind kind)
{
	for (size_t i = 0; i < rule->n_kinds; i++)
		if (rule->kinds[i] == kind)
			return true;
	return rule->n_kinds == 0;
}

static bool under(const Avvik__V1__ActRule *rule, Avvik__V1__Law law)
{
	for (size_t i = 0; law && i < rule->n_laws; i++)
		if (rule->laws[i] == law)
			return true;
	return !law || rule->n_laws == 0;
}

struct question {
	const struct workflow_view *view;
	const Avvik__V1__Case *found;
	const char *act, *person, *unit;
	av_day day;
	const struct av_principal *principal; /* NULL: not asked about */
	bool reading;
	Avvik__V1__Law law; /* UNSPECIFIED: the act is of no law */
};

struct answer {
	bool known, held; /* the act has a rule; a role of it is held, but the principal may not act in it */
	const char *role; /* the first that is held and that the principal may act in; NULL: none */
};

static struct answer ask(const struct workflow_pack *pack, const struct question *question)
{
	const char *codes[AV_ORG_DEPTH];
	struct answer answer = {0};
	const char *unit;

	if (path_of(question->view, question->unit, codes) == 0)
		return answer;
	unit = codes[0]; /* the unit, or the committee for an unknown one */
	for (size_t i = 0; i < pack->rules->n_acts; i++) {
		const Avvik__V1__ActRule *rule = pack->rules->acts[i];

		if (strcmp(rule->act, question->act) != 0 ||
			!workflow_act_rule_concerns(rule, question->found->kind) ||
			!under(rule, question->law))
			continue;
		answer.known = true;
		for (size_t r = 0; r < rule->n_roles; r++) {
			const char *role = rule->roles[r];
			if (question->reading && !case_role_reads(question->found, role, question->person))
				continue;
			if (!av_org_holds(question->view->org, question->person, role, unit, question->day))
				continue;
			answer.held = true;
			if (!answer.role &&
				(!question->principal || av_principal_may_role(question->principal, role)))
				answer.role = role;
		}
	}
	return answer;
}

/* "EC, AC": the roles that the act is given to. */
static const char *roles_text(const struct workflow_pack *pack, const Avvik__V1__Case *found, const char *act,
	Avvik__V1__Law law, struct av_arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < pack->rules->n_acts; i++) {
		const Avvik__V1__ActRule *rule = pack->rules->acts[i];
		for (size_t r = 0;
			strcmp(rule->act, act) == 0 && workflow_act_rule_concerns(rule, found->kind) &&
			under(rule, law) && r < rule->n_roles;
			r++) {
			const char *longer =
				av_arena_printf(arena, "%s%s%s", text, *text ? ", " : "", rule->roles[r]);
			text = longer ? longer : text; /* without memory the turn fails by itself */
		}
	}
	return text;
}

bool workflow_holds_for(const struct workflow_view *view, const struct workflow_pack *pack,
	const Avvik__V1__Case *found, const char *act, const char *person, const char *unit, av_day day)
{
	struct question question = {view, found, act, person, unit, day, NULL, false, 0};
	return ask(pack, &question).held;
}

int workflow_may_act(struct av_ctx *ctx, const struct workflow_view *view, const struct workflow_pack *pack,
	const Avvik__V1__Case *found, const char *act, const char *unit, const char **ret_role)
{
	return workflow_may_act_under(
		ctx, view, pack, found, act, unit, AVVIK__V1__LAW__LAW_UNSPECIFIED, ret_role);
}

int workflow_may_act_under(struct av_ctx *ctx, const struct workflow_view *view,
	const struct workflow_pack *pack, const Avvik__V1__Case *found, const char *act, const char *unit,
	Avvik__V1__Law law, const char **ret_role)
{
	const char *person = ctx->command->on_behalf_of;
	struct question question = {view, found, act, person, unit, av_local_day(ctx->now_ms), ctx->principal,
		strcmp(act, "read_content") == 0, law};
	struct answer answer;

	if (!workflow_principal_covers(ctx, view, unit))
		return workflow_refuse(ctx, AV_FORBIDDEN, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED,
			"case_id",
			"this system may not act for the unit of the case; an administrator gives it the "
			"unit in the principals file");
	if (!*person)
		return workflow_refuse(ctx, AV_INVALID, AVVIK__V1__FAULT_CODE__FAULT_CODE_REQUIRED,
			"on_behalf_of",
			"say on behalf of which person this is done, by the person's id in the directory");
	if (!view->org || !av_org_person(view->org, person))
		return workflow_refuse(ctx, AV_FORBIDDEN, AVVIK__V1__FAULT_CODE__FAULT_CODE_UNKNOWN_REFERENCE,
			"on_behalf_of",
			"the acting person is not in the directory that is in force; publish a directory "
			"with the person");
	answer = ask(pack, &question);
	if (answer.role && ret_role)
		*ret_role = answer.role;
	if (answer.role)
		return AV_OK;
	if (answer.held)
		return workflow_refuse(ctx, AV_FORBIDDEN, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED,
			"on_behalf_of",
			"this system may not act in the role that the person holds; an administrator gives "
			"it the role in the principals file");
	if (!answer.known)
		return workflow_refuse(ctx, AV_FORBIDDEN, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED,
			"on_behalf_of", "the rule pack %s gives no role the act %s for this kind of case",
			pack->rules->version, act);
	return workflow_refuse(ctx, AV_FORBIDDEN, AVVIK__V1__FAULT_CODE__FAULT_CODE_NOT_ALLOWED,
		"on_behalf_of",
		"the acting person holds none of the roles that the rule pack gives the act %s (%s), for "
		"the unit of the case and today",
		act, roles_text(pack, found, act, law, ctx->arena));
}
