/* workflow_store.h - the records of the workflow: their keys and formats, and apply(), the only code that
 * changes them.
 *
 *	table           key                              value
 *	cases           case id 16                       a packed Case
 *	case_numbers    "2026-0042"                      case id 16
 *	cases_by_state  kind u8, state u8, case id 16    -
 *	cases_by_unit   unit, NUL, kind, state, case id  -
 *	deadlines       case id 16, deadline id 16       a packed Deadline
 *	deadlines_due   due u64, deadline id 16          case id 16, unit: of running ones
 *	rungs           instant u64, deadline id 16      rung u8, case id 16: the next rung of each running one
 *	unplaced        case id 16                       the unit that was reported
 *	unruled         day received u32, case id 16     -: opened before a rule pack covered the day
 *	work            kind u8, case id 16              version of the rule pack, or nothing: see enum workflow_work
 *	published       'D' | 'R' version | 'S'          event id 16, hash 32, packed Directory | RulePack | -
 *	sequences       "2026"                           u32: the last case number of the year
 *	applying        "rules"                          a packed RulesApplied: how far open cases have gone over
 *
 *	near            unit, NUL, day u32, case id 16   -: of open cases, the day it happened or was noticed
 *	effective       unit, NUL, category, NUL, case id 16   u64: when a measure was judged effective there
 *	taken           system, NUL, external id         case id 16: of a case that was taken over
 *
 * Integers are big-endian. All tables are projections. A hex example stands in workflow_store.c.
 */
#ifndef AVVIK_WORKFLOW_WORKFLOW_STORE_H
#define AVVIK_WORKFLOW_WORKFLOW_STORE_H

#include "avvik/v1/envelope.pb-c.h"
#include "base/arena.h"
#include "base/date.h"
#include "store/store.h"

enum workflow_table {
	TABLE_CASES = AV_TABLE_OWN,
	TABLE_NUMBERS,
	TABLE_BY_STATE,
	TABLE_BY_UNIT,
	TABLE_DEADLINES,
	TABLE_DUE,
	TABLE_RUNGS,
	TABLE_UNPLACED,
	TABLE_UNRULED,
	TABLE_WORK,
	TABLE_PUBLISHED,
	TABLE_SEQUENCES,
	TABLE_APPLYING,
	TABLE_EFFECTIVE,
	TABLE_NEAR,
	TABLE_TAKEN
};
#define WORKFLOW_TABLE_COUNT 16
extern const struct av_table_decl workflow_tables[WORKFLOW_TABLE_COUNT];

/* What is left to do for cases that something published concerns; done in portions by on_due. */
enum workflow_work { WORK_PLACE = 1, WORK_RULES = 2 };

/* AV_NOT_FOUND, AV_DAMAGED. The message lives in the arena. */
int case_load(struct av_txn *txn, const struct av_id *id, struct av_arena *arena, Avvik__V1__Case **ret_case);
bool case_exists(struct av_txn *txn, const struct av_id *id);
int case_by_number(struct av_txn *txn, const char *number, struct av_id *ret_id);
/* The next number of the year: "2026-0042", in the arena. */
char *case_next_number(struct av_txn *txn, int year, struct av_arena *arena);

int deadline_load(struct av_txn *txn, const struct av_id *case_id, const struct av_id *id,
	struct av_arena *arena, Avvik__V1__Deadline **ret_deadline);
/* All of a case, in order of their ids. */
int deadlines_load(struct av_txn *txn, const struct av_id *case_id, struct av_arena *arena,
	Avvik__V1__Deadline ***ret_deadlines, size_t *ret_count);

/* A published directory or rule pack: stamp is the id of the event that published it. AV_NOT_FOUND. */
struct workflow_published {
	struct av_id stamp;
	unsigned char hash[32];
	struct av_bytes packed; /* dies with the transaction */
};
int published_directory(struct av_txn *txn, struct workflow_published *ret_found);
int published_rules(struct av_txn *txn, const char *version, struct workflow_published *ret_found);
int published_rules_stamp(struct av_txn *txn, struct av_id *ret_stamp); /* of the last rule pack */

/* How far open cases have gone over to another rule pack, as it was told last. AV_NOT_FOUND: none is under way. */
int applying_load(struct av_txn *txn, struct av_arena *arena, Avvik__V1__RulesApplied **ret_applied);

struct av_id id_of(ProtobufCBinaryData data);				     /* zero unless it is 16 bytes */
ProtobufCBinaryData id_data(const struct av_id *id, struct av_arena *arena); /* a copy in the arena */

int workflow_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena);

/* What an event does to a case that lies in memory alone, as it is put together (takeover.c): deadlines and tables
 * are left as they are. *found NULL: the event opens it. */
int workflow_apply_in_memory(const Avvik__V1__Event *event, struct av_arena *arena, Avvik__V1__Case **found);

/* For apply alone. */
struct case_place { /* what the indexes of a case are made of */
	int kind, state;
	const char *unit; /* NULL: not stored before */
};
void case_store(struct av_txn *txn, const struct av_id *id, struct case_place was,
	const Avvik__V1__Case *record, struct av_arena *arena);
struct deadline_place {	      /* what the indexes of a deadline are made of */
	bool running, speaks; /* speaks: it has a rung to come */
	int64_t due_at_ms, rung_at_ms;
	size_t rung;
	const char *unit;
};
struct deadline_place deadline_place(const Avvik__V1__Deadline *record); /* taken before it is changed */
/* `was` zero: not stored before. An index that stays as it is is not written. */
void deadline_store(struct av_txn *txn, struct deadline_place was, const Avvik__V1__Deadline *record,
	struct av_arena *arena);
void published_store(struct av_txn *txn, char kind, const char *version, const struct av_id *stamp,
	ProtobufCBinaryData hash, struct av_bytes packed);
int directory_store(struct av_txn *txn, const Avvik__V1__DirectoryPublished *published,
	const struct av_id *stamp, struct av_arena *arena);
void applying_store(struct av_txn *txn, const Avvik__V1__RulesApplied *applied, struct av_arena *arena);
int rules_store(struct av_txn *txn, const Avvik__V1__RulesPublished *published, const struct av_id *stamp,
	struct av_arena *arena);
/* "unit NUL category NUL", then the case: where a measure has been judged effective. Answers the size; `id`
 * NULL: the prefix alone. */
#define EFFECTIVE_KEY_MAX 420
size_t effective_key(
	unsigned char key[EFFECTIVE_KEY_MAX], const char *unit, const char *category, const struct av_id *id);
/* "unit NUL day", then the case: open cases by the day of their event. Answers the size; `id` NULL: the prefix
 * alone. */
#define NEAR_KEY_MAX 240
size_t near_key(unsigned char key[NEAR_KEY_MAX], const char *unit, av_day day, const struct av_id *id);
/* When it happened, or else when it was noticed; 0: neither is known. */
int64_t case_happened_ms(const Avvik__V1__Case *found);
/* The index after a case has changed. */
void near_store(
	struct av_txn *txn, const struct av_id *id, struct case_place was, const Avvik__V1__Case *record);
struct av_bytes work_key(unsigned char key[1 + AV_ID_SIZE], enum workflow_work work, const struct av_id *id);

#define ID_BYTES(id) av_bytes((id)->bytes, AV_ID_SIZE)

/* A case that was taken over, by its number there. AV_NOT_FOUND. */
int case_by_external(struct av_txn *txn, const char *system, const char *external_id, struct av_id *ret_id);
#define TAKEN_KEY_MAX 130
size_t taken_key(unsigned char key[TAKEN_KEY_MAX], const char *system, const char *external_id);

#endif
