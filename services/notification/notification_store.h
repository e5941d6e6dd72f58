/* notification_store.h - notification's records that follow from its journal, and apply(), the only code that
 * changes them.
 *
 * Record formats (integers big-endian; hex examples in notification_store.c):
 *	notices         notice id 16 -> packed Notice; its state is DECIDED until it was delivered or given up
 *	notice_states   state u8, notice id 16 -> nothing
 *	notice_cases    case id 16, notice id 16 -> nothing
 *	notice_persons  person NUL notice id 16 -> nothing
 *	decided         cause id 16, rule NUL person NUL channel -> notice id 16
 *	unreachable     'c' case id 16, cause id 16, rule NUL role -> packed NoticeUnreachable
 *	                't' cause id 16, rule NUL role -> case id 16
 *	seen            event id 16 -> nothing: an event of a feed whose effect stands
 *	cases           case id 16 -> packed CaseKnown
 *	contacts        'p' person, or 'c' case id 16 -> has mail u8, content id 16 or zero, key number u64
 *	contents        'c' content id 16 -> the key in `contacts`
 *	                'o' origin content id 16 -> that key, and the content id 16 (before 0.3 without it)
 *	packs           version -> event id 16, packed RulePack
 *	directory       "current" -> event id 16, packed Directory
 * Beside the journal: see attempts_store.h.
 */
#ifndef NOTIFICATION_STORE_H
#define NOTIFICATION_STORE_H

#include "avvik/v1/envelope.pb-c.h"
#include "base/arena.h"
#include "store/store.h"

/* What has happened lately is told by health and by the list of notices. */
#define RECENT_MS (INT64_C(7) * AV_DAY_MS)
#define UNREACHABLE_LOOKED_AT 10000

enum notification_table {
	TABLE_NOTICES = AV_TABLE_OWN,
	TABLE_STATES,
	TABLE_CASE_NOTICES,
	TABLE_PERSON_NOTICES,
	TABLE_DECIDED,
	TABLE_UNREACHABLE,
	TABLE_SEEN,
	TABLE_CASES,
	TABLE_CONTACTS,
	TABLE_CONTENTS,
	TABLE_PACKS,
	TABLE_DIRECTORY,
	TABLE_SCHEDULE,
	TABLE_ATTEMPTS,
	TABLE_UNDERWAY,
	TABLE_WAITING,
	TABLE_READY,
	TABLE_END
};
#define NOTIFICATION_TABLES (TABLE_END - AV_TABLE_OWN)
extern const struct av_table_decl notification_tables[NOTIFICATION_TABLES];

#define DIRECTORY_KEY "current"

/* AV_INVALID: an event without what its record needs. */
int notification_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena);

/* In the arena. AV_NOT_FOUND, AV_DAMAGED, AV_MEMORY. */
int notice_load(struct av_txn *txn, const struct av_id *notice_id, struct av_arena *arena,
	Avvik__V1__Notice **ret_notice);
int case_load(
	struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena, Avvik__V1__CaseKnown **ret_case);
bool event_seen(struct av_txn *txn, struct av_bytes event_id);
bool notice_decided(struct av_txn *txn, struct av_bytes cause_id, const char *rule, const char *person,
	const char *channel);

struct contact {
	bool has_mail;
	struct av_id content_id; /* zero: no address was given, or it was erased */
	uint64_t key_number;
};
/* person NULL or empty: the reporter of the case. AV_NOT_FOUND: nothing has arrived yet. */
int contact_load(
	struct av_txn *txn, const char *person, struct av_bytes case_id, struct contact *ret_contact);
/* The contact that was opened from another daemon's content. AV_NOT_FOUND. */
int contact_of_origin(struct av_txn *txn, struct av_bytes origin_content_id, struct contact *ret_contact);

/* The key of a rule that reached nobody: was it the reporter? Many leave no address, and nobody is to blame. */
bool unreachable_is_reporter(struct av_bytes key);

bool id_is_zero(const struct av_id *id);
struct av_id id_of(ProtobufCBinaryData data); /* zero unless it has 16 bytes */
/* Ids begin with their time: the first of that time. */
struct av_id id_since(int64_t at_ms);
struct av_bytes id_bytes(const struct av_id *id);
struct av_bytes data_bytes(ProtobufCBinaryData data);
ProtobufCBinaryData id_data(const struct av_id *id, struct av_arena *arena);

#endif
