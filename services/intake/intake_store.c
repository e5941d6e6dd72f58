/* intake_store.c - see intake_store.h
 *
 * Numbers are big-endian. Each value begins with the version of its format.
 *
 * BY_CASE      key: report id 16, sequence u64, as every store has it for the events of a case. What intake
 * keeps of a filing is the value there, so that no table of its own must be written; other events of the
 * report have none. The first of a report is the report, the others its supplements. value: version u8 = 1,
 * supplement u8, content id 16, key number u64, then the principal's name 01 00
 * 0192f3a1c4d57e3f8a11bb20c3d4e5f6 0000000000000007 6c6966656361726565  (report, key 7, "lifecaree")
 * DIRECTORIES  key: version. value: version u8 = 1, sequence u64, hash 32 of the packed Directory without
 * contacts 01 0000000000000002 9f... RULES        key: version. value: as DIRECTORIES (hash of the packed
 * RulePack), then from u32, until u32 (0: without end) 01 0000000000000003 4c... 00004f2e 00000000  (from
 * 2025-07-01) CURRENT      key: "current". value: version u8 = 1, sequence u64 and event id 16 of the
 * directory in force, then of the last rule pack; zero: none
 */
#include "intake_store.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define FILING_KEY (AV_ID_SIZE + 8)
#define FILING_FIXED (2 + AV_ID_SIZE + 8)
#define DIRECTORY_SIZE (1 + 8 + 32)
#define RULES_SIZE (DIRECTORY_SIZE + 4 + 4)
#define CURRENT_SIZE (1 + 2 * (8 + AV_ID_SIZE))

const struct av_table_decl intake_tables[INTAKE_TABLE_COUNT] = {
	[INTAKE_DIRECTORIES - AV_TABLE_OWN] = {"directories", AV_PROJECTION},
	[INTAKE_RULES - AV_TABLE_OWN] = {"rules", AV_PROJECTION},
	[INTAKE_CURRENT - AV_TABLE_OWN] = {"current", AV_PROJECTION},
};

static int filing_decode(
	struct av_bytes key, struct av_bytes value, struct av_arena *arena, struct filing *ret_filing)
{
	const unsigned char *from = value.data;
	if (key.size != FILING_KEY || value.size < FILING_FIXED || from[0] != FORMAT)
		return AV_DAMAGED;
	struct filing filing = {
		.sequence = av_get_u64((const unsigned char *)key.data + AV_ID_SIZE),
		.supplement = from[1] != 0,
		.key_number = av_get_u64(from + 2 + AV_ID_SIZE),
	};
	memcpy(filing.content_id.bytes, from + 2, AV_ID_SIZE);
	char *principal = av_arena_zalloc(arena, value.size - FILING_FIXED + 1);
	if (!principal)
		return AV_MEMORY;
	memcpy(principal, from + FILING_FIXED, value.size - FILING_FIXED);
	filing.principal = principal;
	*ret_filing = filing;
	return AV_OK;
}

int filing_list(struct av_txn *txn, const struct av_id *report_id, size_t max, struct av_arena *arena,
	struct filing **ret_filings, size_t *ret_count)
{
	struct av_iter it =
		av_iter(txn, AV_TABLE_BY_CASE, av_bytes(report_id->bytes, AV_ID_SIZE), av_bytes(NULL, 0));
	struct filing *filings = NULL;
	size_t count = 0, room = 0;
	int status = AV_OK;
	while (status == AV_OK && count < max && av_iter_next(&it)) {
		if (it.value.size == 0)
			continue;
		if (count == room) {
			size_t more = room ? room * 2 : 4;
			struct filing *larger = av_arena_alloc(arena, more * sizeof(*larger));
			if (!larger) {
				status = AV_MEMORY;
				break;
			}
			if (count)
				memcpy(larger, filings, count * sizeof(*larger));
			filings = larger;
			room = more;
		}
		status = filing_decode(it.key, it.value, arena, &filings[count]);
		count += status == AV_OK;
	}
	av_iter_end(&it);
	if (status == AV_OK && count == 0)
		status = AV_NOT_FOUND;
	if (status != AV_OK)
		return status;
	*ret_filings = filings;
	*ret_count = count;
	return AV_OK;
}

int filing_first(
	struct av_txn *txn, const struct av_id *report_id, struct av_arena *arena, struct filing *ret_filing)
{
	struct filing *filings;
	size_t count;
	int status = filing_list(txn, report_id, 1, arena, &filings, &count);
	if (status == AV_OK)
		*ret_filing = filings[0];
	return status;
}

static int published_find(
	struct av_txn *txn, unsigned int table, size_t size, const char *version, struct published *ret_found)
{
	struct av_bytes value;
	int status = av_get(txn, table, av_bytes_of(version), &value);
	const unsigned char *from = value.data;
	if (status < 0)
		return status;
	if (value.size != size || from[0] != FORMAT)
		return AV_DAMAGED;
	struct published found = {.sequence = av_get_u64(from + 1)};
	memcpy(found.hash, from + 9, sizeof(found.hash));
	if (size == RULES_SIZE) {
		found.from = (av_day)av_get_u32(from + DIRECTORY_SIZE);
		found.until = (av_day)av_get_u32(from + DIRECTORY_SIZE + 4);
	}
	*ret_found = found;
	return AV_OK;
}

int directory_find(struct av_txn *txn, const char *version, struct published *ret_found)
{
	return published_find(txn, INTAKE_DIRECTORIES, DIRECTORY_SIZE, version, ret_found);
}

int rules_find(struct av_txn *txn, const char *version, struct published *ret_found)
{
	return published_find(txn, INTAKE_RULES, RULES_SIZE, version, ret_found);
}

static int compare_published(const void *left, const void *right)
{
	const struct published *a = left, *b = right;
	return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

int rules_list(struct av_txn *txn, struct av_arena *arena, struct published **ret_packs, size_t *ret_count)
{
	size_t room = av_table_count(txn, INTAKE_RULES), count = 0;
	struct published *packs = av_arena_alloc(arena, (room + 1) * sizeof(*packs));
	struct av_iter it = av_iter(txn, INTAKE_RULES, av_bytes(NULL, 0), av_bytes(NULL, 0));
	int status = packs ? AV_OK : AV_MEMORY;
	while (status == AV_OK && count < room && av_iter_next(&it)) {
		const unsigned char *from = it.value.data;
		if (it.value.size != RULES_SIZE || from[0] != FORMAT) {
			status = AV_DAMAGED;
			break;
		}
		packs[count] = (struct published){
			.sequence = av_get_u64(from + 1),
			.from = (av_day)av_get_u32(from + DIRECTORY_SIZE),
			.until = (av_day)av_get_u32(from + DIRECTORY_SIZE + 4),
		};
		memcpy(packs[count++].hash, from + 9, 32);
	}
	av_iter_end(&it);
	if (status < 0)
		return status;
	qsort(packs, count, sizeof(*packs), compare_published);
	*ret_packs = packs;
	*ret_count = count;
	return AV_OK;
}

void current_load(struct av_txn *txn, struct current *ret_current)
{
	struct av_bytes value;
	struct current current = {0};
	if (av_get(txn, INTAKE_CURRENT, av_bytes_of("current"), &value) == AV_OK &&
		value.size == CURRENT_SIZE) {
		const unsigned char *from = value.data;
		current.directory_sequence = av_get_u64(from + 1);
		memcpy(current.directory_event.bytes, from + 9, AV_ID_SIZE);
		current.rules_sequence = av_get_u64(from + 9 + AV_ID_SIZE);
		memcpy(current.rules_event.bytes, from + 17 + AV_ID_SIZE, AV_ID_SIZE);
	}
	*ret_current = current;
}

static void current_store(struct av_txn *txn, const struct current *current)
{
	unsigned char *to = av_put_room(txn, INTAKE_CURRENT, av_bytes_of("current"), CURRENT_SIZE);
	if (!to)
		return;
	to[0] = FORMAT;
	av_put_u64(to + 1, current->directory_sequence);
	memcpy(to + 9, current->directory_event.bytes, AV_ID_SIZE);
	av_put_u64(to + 9 + AV_ID_SIZE, current->rules_sequence);
	memcpy(to + 17 + AV_ID_SIZE, current->rules_event.bytes, AV_ID_SIZE);
}

int event_load(struct av_txn *txn, uint64_t sequence, struct av_arena *arena, Avvik__V1__Event **ret_event)
{
	struct av_bytes packed;
	ProtobufCMessage *message;
	int status = av_journal_read(txn, sequence, &packed, NULL);
	if (status == AV_OK)
		status = av_message_load(&avvik__v1__event__descriptor, packed, arena, &message);
	if (status == AV_OK)
		*ret_event = (Avvik__V1__Event *)message;
	return status;
}

static int filing_store(struct av_txn *txn, const Avvik__V1__Event *event, ProtobufCBinaryData report_id,
	bool supplement, const Avvik__V1__ContentRef *content, const char *principal)
{
	unsigned char key[FILING_KEY];
	size_t name = strlen(principal);
	if (report_id.len != AV_ID_SIZE || !content || content->content_id.len != AV_ID_SIZE)
		return AV_INVALID;
	memcpy(key, report_id.data, AV_ID_SIZE);
	av_put_u64(key + AV_ID_SIZE, event->sequence);
	unsigned char *to =
		av_put_room(txn, AV_TABLE_BY_CASE, av_bytes(key, sizeof(key)), FILING_FIXED + name);
	if (!to)
		return av_txn_error(txn);
	to[0] = FORMAT;
	to[1] = supplement;
	memcpy(to + 2, content->content_id.data, AV_ID_SIZE);
	av_put_u64(to + 2 + AV_ID_SIZE, content->key_number);
	memcpy(to + FILING_FIXED, principal, name);
	return AV_OK;
}

static int event_id_of(const Avvik__V1__Event *event, struct av_id *ret_id)
{
	if (event->event_id.len != AV_ID_SIZE)
		return AV_INVALID;
	memcpy(ret_id->bytes, event->event_id.data, AV_ID_SIZE);
	return AV_OK;
}

static int directory_store(struct av_txn *txn, const Avvik__V1__Event *event)
{
	const Avvik__V1__DirectoryPublished *published = event->directory_published;
	unsigned char value[DIRECTORY_SIZE] = {FORMAT};
	struct current current;
	current_load(txn, &current);
	if (!published->directory || published->hash.len != 32 ||
		event_id_of(event, &current.directory_event) < 0)
		return AV_INVALID;
	av_put_u64(value + 1, event->sequence);
	memcpy(value + 9, published->hash.data, 32);
	av_put(txn, INTAKE_DIRECTORIES, av_bytes_of(published->directory->version),
		av_bytes(value, sizeof(value)));
	current.directory_sequence = event->sequence;
	current_store(txn, &current);
	return AV_OK;
}

static int rules_store(struct av_txn *txn, const Avvik__V1__Event *event)
{
	const Avvik__V1__RulesPublished *published = event->rules_published;
	unsigned char value[RULES_SIZE] = {FORMAT};
	struct current current;
	current_load(txn, &current);
	if (!published->rules || published->hash.len != 32 || event_id_of(event, &current.rules_event) < 0)
		return AV_INVALID;
	av_put_u64(value + 1, event->sequence);
	memcpy(value + 9, published->hash.data, 32);
	av_put_u32(value + DIRECTORY_SIZE, (uint32_t)published->rules->valid_from_on);
	av_put_u32(value + DIRECTORY_SIZE + 4, (uint32_t)published->rules->valid_until_on);
	av_put(txn, INTAKE_RULES, av_bytes_of(published->rules->version), av_bytes(value, sizeof(value)));
	current.rules_sequence = event->sequence;
	current_store(txn, &current);
	return AV_OK;
}

int intake_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	AV_UNUSED(arena);
	switch (event->body_case) {
	case AVVIK__V1__EVENT__BODY_REPORT_FILED:
		return filing_store(txn, event, event->report_filed->report_id, false,
			event->report_filed->content, event->report_filed->principal);
	case AVVIK__V1__EVENT__BODY_REPORT_SUPPLEMENTED:
		return filing_store(txn, event, event->report_supplemented->report_id, true,
			event->report_supplemented->content, event->report_supplemented->principal);
	case AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED:
		return directory_store(txn, event);
	case AVVIK__V1__EVENT__BODY_RULES_PUBLISHED:
		return rules_store(txn, event);
	default:
		return AV_OK; /* changes no record of intake's */
	}
}
