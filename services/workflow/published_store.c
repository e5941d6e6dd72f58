/* published_store.c - the directory and the rule packs that intake published, and the cases that wait for
 * them
 *
 * Part of apply(): what is left to do for waiting cases is put in the table of work, and done in portions by
 * on_due, so that a publication that concerns thousands of cases does not make one turn as long as all of
 * them.
 */
#include "workflow_store.h"

#include <string.h>

#include "base/macros.h"
#include "org/org.h"
#include "wire/message.h"

/* Cases without a place whose unit is now a leaf wait to be placed; on_due does it. */
int directory_store(struct av_txn *txn, const Avvik__V1__DirectoryPublished *published,
	const struct av_id *stamp, struct av_arena *arena)
{
	struct av_org *org;
	struct av_iter it;
	struct av_bytes packed;

	if (!published->directory)
		return AV_MALFORMED;
	packed = av_message_pack(&published->directory->base, arena);
	if (!packed.data)
		return AV_MEMORY;
	published_store(txn, 'D', "", stamp, published->hash, packed);
	if (av_table_count(txn, TABLE_UNPLACED) == 0)
		return AV_OK;
	org = av_org_create(published->directory, arena);
	if (!org)
		return AV_MEMORY;
	it = av_iter(txn, TABLE_UNPLACED, av_bytes(NULL, 0), av_bytes(NULL, 0));
	while (av_iter_next(&it)) {
		unsigned char key[1 + AV_ID_SIZE];
		char unit[64] = "";
		struct av_id id;
		const Avvik__V1__Unit *known;

		if (it.key.size != AV_ID_SIZE || it.value.size >= sizeof(unit))
			continue;
		memcpy(id.bytes, it.key.data, AV_ID_SIZE);
		if (it.value.size)
			memcpy(unit, it.value.data, it.value.size);
		known = av_org_unit(org, unit);
		if (known && av_org_leaf(org, known))
			av_put(txn, TABLE_WORK, work_key(key, WORK_PLACE, &id), av_bytes(NULL, 0));
		else
			av_delete(txn, TABLE_WORK, work_key(key, WORK_PLACE, &id));
	}
	av_iter_end(&it);
	return AV_OK;
}

/* Cases that were opened before a rule pack covered their day wait for theirs; on_due does it. */
int rules_store(struct av_txn *txn, const Avvik__V1__RulesPublished *published, const struct av_id *stamp,
	struct av_arena *arena)
{
	unsigned char from[4];
	struct av_bytes packed;
	struct av_iter it;

	if (!published->rules)
		return AV_MALFORMED;
	packed = av_message_pack(&published->rules->base, arena);
	if (!packed.data)
		return AV_MEMORY;
	published_store(txn, 'R', published->rules->version, stamp, published->hash, packed);
	published_store(txn, 'S', "", stamp, published->hash, av_bytes(NULL, 0));
	av_put_u32(from, (uint32_t)AV_MAX(published->rules->valid_from_on, 0));
	it = av_iter(txn, TABLE_UNRULED, av_bytes(NULL, 0), av_bytes(from, sizeof(from)));
	while (av_iter_next(&it)) {
		unsigned char key[1 + AV_ID_SIZE];
		struct av_id id;
		av_day day;

		if (it.key.size != 4 + AV_ID_SIZE)
			continue;
		day = (av_day)av_get_u32(it.key.data);
		if (published->rules->valid_until_on && day > published->rules->valid_until_on)
			break;
		memcpy(id.bytes, (const char *)it.key.data + 4, AV_ID_SIZE);
		av_put(txn, TABLE_WORK, work_key(key, WORK_RULES, &id),
			av_bytes_of(published->rules->version));
	}
	av_iter_end(&it);
	return AV_OK;
}
