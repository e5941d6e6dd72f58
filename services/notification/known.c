/* known.c - the directory and the rule packs that have arrived, unpacked and indexed once. */
#include "known.h"

#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "wire/message.h"

#define PACKS 8
#define VERSION_MAX 41

struct kept_pack {
	char version[VERSION_MAX];
	struct av_id id;
	struct av_arena *arena;
	const Avvik__V1__RulePack *pack;
};

struct known {
	struct av_arena *org_arena;
	struct av_id org_id;
	const struct av_org *org;
	struct kept_pack packs[PACKS];
	size_t next_pack; /* the one that is replaced next */
	bool started;
};

void *known_create(void)
{
	return calloc(1, sizeof(struct known));
}

void known_destroy(void *pointer)
{
	struct known *known = pointer;

	if (!known)
		return;
	av_arena_destroy(&known->org_arena);
	for (size_t i = 0; i < PACKS; i++)
		av_arena_destroy(&known->packs[i].arena);
	free(known);
}

/* The record behind the event id in front of it, unpacked into a new arena. */
static int unpack(struct av_bytes value, const ProtobufCMessageDescriptor *type, struct av_arena **ret_arena,
	ProtobufCMessage **ret_message)
{
	AV_CLEANUP(av_arena_destroy)
	struct av_arena *arena = av_arena_create(0);
	void *copy =
		arena ? av_arena_copy(arena, (const char *)value.data + AV_ID_SIZE, value.size - AV_ID_SIZE)
		      : NULL;

	if (!copy)
		return AV_MEMORY;
	int status = av_message_load(type, av_bytes(copy, value.size - AV_ID_SIZE), arena, ret_message);
	if (status == AV_OK)
		*ret_arena = AV_TAKE(arena);
	return status;
}

int known_org(struct known *known, struct av_txn *txn, const struct av_org **ret_org)
{
	struct av_arena *arena = NULL;
	ProtobufCMessage *directory;
	struct av_bytes value;

	int status = av_get(txn, TABLE_DIRECTORY, av_bytes_of(DIRECTORY_KEY), &value);
	if (status < 0)
		return status;
	if (value.size < AV_ID_SIZE)
		return AV_DAMAGED;
	if (!known->org || memcmp(known->org_id.bytes, value.data, AV_ID_SIZE) != 0) {
		struct av_id id;
		memcpy(id.bytes, value.data, AV_ID_SIZE);
		status = unpack(value, &avvik__v1__directory__descriptor, &arena, &directory);
		if (status < 0)
			return status;
		av_arena_destroy(&known->org_arena);
		known->org_arena = arena;
		known->org_id = id;
		known->org = av_org_create((const Avvik__V1__Directory *)directory, arena);
		if (!known->org)
			return AV_MEMORY;
	}
	*ret_org = known->org;
	return AV_OK;
}

struct av_id known_org_id(const struct known *known)
{
	static const struct av_id zero;
	return known->org ? known->org_id : zero;
}

static struct kept_pack *find_pack(struct known *known, const char *version)
{
	for (size_t i = 0; i < PACKS; i++)
		if (known->packs[i].pack && strcmp(known->packs[i].version, version) == 0)
			return &known->packs[i];
	return NULL;
}

int known_pack(
	struct known *known, struct av_txn *txn, const char *version, const Avvik__V1__RulePack **ret_pack)
{
	struct av_arena *arena = NULL;
	ProtobufCMessage *pack;
	struct av_bytes value;

	if (*version == '\0' || strlen(version) >= VERSION_MAX)
		return AV_NOT_FOUND;
	int status = av_get(txn, TABLE_PACKS, av_bytes_of(version), &value);
	if (status < 0)
		return status;
	if (value.size < AV_ID_SIZE)
		return AV_DAMAGED;
	struct kept_pack *kept = find_pack(known, version);
	if (kept && memcmp(kept->id.bytes, value.data, AV_ID_SIZE) == 0) {
		*ret_pack = kept->pack;
		return AV_OK;
	}
	struct av_id id;
	memcpy(id.bytes, value.data, AV_ID_SIZE);
	status = unpack(value, &avvik__v1__rule_pack__descriptor, &arena, &pack);
	if (status < 0)
		return status;
	if (!kept) {
		kept = &known->packs[known->next_pack];
		known->next_pack = (known->next_pack + 1) % PACKS;
	}
	av_arena_destroy(&kept->arena);
	*kept = (struct kept_pack){.id = id, .arena = arena, .pack = (const Avvik__V1__RulePack *)pack};
	memcpy(kept->version, version, strlen(version) + 1);
	*ret_pack = kept->pack;
	return AV_OK;
}

bool known_started(const struct known *known)
{
	return known->started;
}

void known_set_started(struct known *known)
{
	known->started = true;
}
