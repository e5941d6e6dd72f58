/* notification_store.c - notification's records that follow from its journal, and apply().
 *
 * A reporter's contact, key and value:
 *	63 0198a1b2c3d4 7e5f 8a6b 0123456789ab -> 01 0198a1b2c3d5 7000 8000 000000000001 0000000000000007
 * A notice in its state (2: DECIDED is 1, DELIVERED 3, GIVEN_UP 4):
 *	01 0198a1b2c3d6 7111 8222 000000000002 -> (nothing)
 * The same notice as decided, for rule N1, person "anna", by mail:
 *	0198a1b2c3d4 7e5f 8a6b 0123456789ab 4e 31 00 61 6e 6e 61 00 6d 61 69 6c
 *		-> 0198a1b2c3d6 7111 8222 000000000002
 *
 * Invariant: a notice stands in `notice_states` under exactly the state its record has, and in `decided` for
 * ever, so that an event that is told again decides nothing again.
 */
#include "notification_store.h"

#include <string.h>
#include "wire/message.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define STATE(name) AVVIK__V1__NOTICE_STATE__NOTICE_STATE_##name
#define CONTACT_VALUE 25
#define CASE_KEY (1 + AV_ID_SIZE) /* of a reporter, in `contacts` */

const struct av_table_decl notification_tables[NOTIFICATION_TABLES] = {
	/* clang-format off */
	[TABLE_NOTICES        - AV_TABLE_OWN] = {"notices",        AV_PROJECTION},
	[TABLE_STATES         - AV_TABLE_OWN] = {"notice_states",  AV_PROJECTION},
	[TABLE_CASE_NOTICES   - AV_TABLE_OWN] = {"notice_cases",   AV_PROJECTION},
	[TABLE_PERSON_NOTICES - AV_TABLE_OWN] = {"notice_persons", AV_PROJECTION},
	[TABLE_DECIDED        - AV_TABLE_OWN] = {"decided",        AV_PROJECTION},
	[TABLE_UNREACHABLE    - AV_TABLE_OWN] = {"unreachable",    AV_PROJECTION},
	[TABLE_SEEN           - AV_TABLE_OWN] = {"seen",           AV_PROJECTION},
	[TABLE_CASES          - AV_TABLE_OWN] = {"cases",          AV_PROJECTION},
	[TABLE_CONTACTS       - AV_TABLE_OWN] = {"contacts",       AV_PROJECTION},
	[TABLE_CONTENTS       - AV_TABLE_OWN] = {"contents",       AV_PROJECTION},
	[TABLE_PACKS          - AV_TABLE_OWN] = {"packs",          AV_PROJECTION},
	[TABLE_DIRECTORY      - AV_TABLE_OWN] = {"directory",      AV_PROJECTION},
	[TABLE_SCHEDULE       - AV_TABLE_OWN] = {"schedule",       0},
	[TABLE_ATTEMPTS       - AV_TABLE_OWN] = {"notice_attempts", 0},
	[TABLE_UNDERWAY       - AV_TABLE_OWN] = {"underway",       0},
	[TABLE_WAITING        - AV_TABLE_OWN] = {"waiting",        0},
	[TABLE_READY          - AV_TABLE_OWN] = {"ready",          0},
}; /* clang-format on */

/* --- keys --- */

struct key {
	unsigned char bytes[AV_KEY_MAX];
	size_t size;
	bool too_long;
};

static void key_add(struct key *key, struct av_bytes part)
{
	if (key->size + part.size > sizeof key->bytes) {
		key->too_long = true;
		return;
	}
	if (part.size)
		memcpy(key->bytes + key->size, part.data, part.size);
	key->size += part.size;
}

static void key_char(struct key *key, char c)
{
	key_add(key, av_bytes(&c, 1));
}

static struct av_bytes key_end(const struct key *key, struct av_txn *txn)
{
	if (key->too_long)
		av_txn_fail(txn, AV_TOO_LARGE);
	return av_bytes(key->bytes, key->size);
}

static struct av_bytes nothing(void)
{
	return av_bytes("", 0);
}

bool id_is_zero(const struct av_id *id)
{
	static const struct av_id zero;
	return memcmp(id, &zero, sizeof zero) == 0;
}

struct av_id id_of(ProtobufCBinaryData data)
{
	struct av_id id = {{0}};
	if (data.len == AV_ID_SIZE)
		memcpy(id.bytes, data.data, AV_ID_SIZE);
	return id;
}

struct av_id id_since(int64_t at_ms)
{
	struct av_id id = {{0}};
	uint64_t ms = at_ms > 0 ? (uint64_t)at_ms : 0;
	for (int i = 5; i >= 0; i--, ms >>= 8)
		id.bytes[i] = (unsigned char)ms;
	return id;
}

struct av_bytes id_bytes(const struct av_id *id)
{
	return av_bytes(id->bytes, AV_ID_SIZE);
}

struct av_bytes data_bytes(ProtobufCBinaryData data)
{
	return av_bytes(data.data, data.len);
}

ProtobufCBinaryData id_data(const struct av_id *id, struct av_arena *arena)
{
	void *copy = av_arena_copy(arena, id->bytes, AV_ID_SIZE);
	return (ProtobufCBinaryData){copy ? AV_ID_SIZE : 0, copy};
}

/* --- reading --- */

static int load(struct av_txn *txn, unsigned int table, struct av_bytes key,
	const ProtobufCMessageDescriptor *type, struct av_arena *arena, ProtobufCMessage **ret_message)
{
	struct av_bytes value;
	if (key.size == 0)
		return AV_NOT_FOUND;
	int status = av_get(txn, table, key, &value);
	return status < 0 ? status : av_message_load(type, value, arena, ret_message);
}

int notice_load(struct av_txn *txn, const struct av_id *notice_id, struct av_arena *arena,
	Avvik__V1__Notice **ret_notice)
{
	return load(txn, TABLE_NOTICES, id_bytes(notice_id), &avvik__v1__notice__descriptor, arena,
		(ProtobufCMessage **)ret_notice);
}

int case_load(
	struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena, Avvik__V1__CaseKnown **ret_case)
{
	return load(txn, TABLE_CASES, case_id, &avvik__v1__case_known__descriptor, arena,
		(ProtobufCMessage **)ret_case);
}

bool event_seen(struct av_txn *txn, struct av_bytes event_id)
{
	struct av_bytes value;
	return event_id.size > 0 && av_get(txn, TABLE_SEEN, event_id, &value) == AV_OK;
}

static void decided_key(
	struct key *key, struct av_bytes cause_id, const char *rule, const char *person, const char *channel)
{
	key_add(key, cause_id);
	key_add(key, av_bytes_of(rule));
	key_char(key, '\0');
	key_add(key, av_bytes_of(person));
	key_char(key, '\0');
	key_add(key, av_bytes_of(channel));
}

bool notice_decided(struct av_txn *txn, struct av_bytes cause_id, const char *rule, const char *person,
	const char *channel)
{
	struct key key = {.size = 0};
	struct av_bytes value;

	decided_key(&key, cause_id, rule, person, channel);
	return av_get(txn, TABLE_DECIDED, key_end(&key, txn), &value) == AV_OK;
}

static void contact_key(struct key *key, const char *person, struct av_bytes case_id)
{
	bool is_person = person && *person;
	key_char(key, is_person ? 'p' : 'c');
	key_add(key, is_person ? av_bytes_of(person) : case_id);
}

static int contact_read(struct av_bytes value, struct contact *ret_contact)
{
	const unsigned char *at = value.data;
	if (value.size != CONTACT_VALUE)
		return AV_DAMAGED;
	ret_contact->has_mail = at[0] != 0;
	memcpy(ret_contact->content_id.bytes, at + 1, AV_ID_SIZE);
	ret_contact->key_number = av_get_u64(at + 1 + AV_ID_SIZE);
	return AV_OK;
}

int contact_load(struct av_txn *txn, const char *person, struct av_bytes case_id, struct contact *ret_contact)
{
	struct key key = {.size = 0};
	struct av_bytes value;

	contact_key(&key, person, case_id);
	int status = av_get(txn, TABLE_CONTACTS, key_end(&key, txn), &value);
	return status < 0 ? status : contact_read(value, ret_contact);
}

int contact_of_origin(struct av_txn *txn, struct av_bytes origin_content_id, struct contact *ret_contact)
{
	struct key key = {.size = 0}, contact = {.size = 0};
	struct av_bytes value, content = {NULL, 0};

	key_char(&key, 'o');
	key_add(&key, origin_content_id);
	int status = av_get(txn, TABLE_CONTENTS, key_end(&key, txn), &value);
	if (status < 0)
		return status;
	if (value.size == CASE_KEY + AV_ID_SIZE) {
		content = av_bytes((const char *)value.data + CASE_KEY, AV_ID_SIZE);
		value.size = CASE_KEY;
	}
	key_add(&contact, value);
	status = av_get(txn, TABLE_CONTACTS, key_end(&contact, txn), &value);
	if (status == AV_OK)
		status = contact_read(value, ret_contact);
	if (status == AV_OK && content.size &&
		memcmp(ret_contact->content_id.bytes, content.data, AV_ID_SIZE) != 0)
		return AV_NOT_FOUND; /* another address has taken its place */
	return status;
}

/* --- writing: from here on only apply() --- */

static void put_message(struct av_txn *txn, unsigned int table, struct av_bytes key,
	const ProtobufCMessage *message, struct av_arena *arena)
{
	struct av_bytes packed = av_message_pack(message, arena);
	if (packed.size && !packed.data)
		av_txn_fail(txn, AV_MEMORY);
	else
		av_put(txn, table, key, packed);
}

/* A message behind the id of the event that brought it. */
static void put_dated(struct av_txn *txn, unsigned int table, struct av_bytes key, struct av_bytes event_id,
	const ProtobufCMessage *message, struct av_arena *arena)
{
	struct av_bytes packed = av_message_pack(message, arena);
	unsigned char *room = packed.data ? av_put_room(txn, table, key, AV_ID_SIZE + packed.size) : NULL;

	if (!packed.data)
		av_txn_fail(txn, AV_MEMORY);
	if (!room)
		return;
	memset(room, 0, AV_ID_SIZE);
	memcpy(room, event_id.data, AV_MIN(event_id.size, (size_t)AV_ID_SIZE));
	memcpy(room + AV_ID_SIZE, packed.data, packed.size);
}

static void state_key(struct key *key, int state, struct av_bytes notice_id)
{
	key_char(key, (char)state);
	key_add(key, notice_id);
}

static int apply_decided(struct av_txn *txn, const Avvik__V1__Notice *notice, struct av_arena *arena)
{
	struct av_bytes id = notice ? data_bytes(notice->notice_id) : nothing();
	struct key state = {.size = 0}, of_case = {.size = 0}, of_person = {.size = 0}, decided = {.size = 0};

	if (id.size != AV_ID_SIZE || notice->case_id.len != AV_ID_SIZE)
		return AV_INVALID;
	put_message(txn, TABLE_NOTICES, id, &notice->base, arena);
	state_key(&state, STATE(DECIDED), id);
	av_put(txn, TABLE_STATES, key_end(&state, txn), nothing());
	key_add(&of_case, data_bytes(notice->case_id));
	key_add(&of_case, id);
	av_put(txn, TABLE_CASE_NOTICES, key_end(&of_case, txn), nothing());
	if (notice->person[0] != '\0') {
		key_add(&of_person, av_bytes_of(notice->person));
		key_char(&of_person, '\0');
		key_add(&of_person, id);
		av_put(txn, TABLE_PERSON_NOTICES, key_end(&of_person, txn), nothing());
	}
	decided_key(&decided, data_bytes(notice->cause_id), notice->rule, notice->person, notice->channel);
	av_put(txn, TABLE_DECIDED, key_end(&decided, txn), id);
	return AV_OK;
}

/* To another state, with what the end or the new beginning says. */
static int apply_state(struct av_txn *txn, ProtobufCBinaryData notice_id, Avvik__V1__NoticeState state,
	uint32_t attempts, const char *error, int64_t ended_at_ms, struct av_arena *arena)
{
	struct av_id id = id_of(notice_id);
	struct key before = {.size = 0}, after = {.size = 0};
	Avvik__V1__Notice *notice;

	int status = notice_load(txn, &id, arena, &notice);
	if (status < 0)
		return status;
	state_key(&before, notice->state, id_bytes(&id));
	av_delete(txn, TABLE_STATES, key_end(&before, txn));
	state_key(&after, state, id_bytes(&id));
	av_put(txn, TABLE_STATES, key_end(&after, txn), nothing());
	notice->state = state;
	notice->attempts = attempts;
	notice->last_error = (char *)error;
	notice->ended_at_ms = ended_at_ms;
	put_message(txn, TABLE_NOTICES, id_bytes(&id), &notice->base, arena);
	return AV_OK;
}

bool unreachable_is_reporter(struct av_bytes key)
{
	static const char role[] = "reporter";

	return key.size > sizeof role &&
	       memcmp((const char *)key.data + key.size - sizeof role, "\0reporter", sizeof role) == 0;
}

static int apply_unreachable(
	struct av_txn *txn, const Avvik__V1__NoticeUnreachable *nobody, struct av_arena *arena)
{
	struct key of_case = {.size = 0}, by_time = {.size = 0};

	key_char(&of_case, 'c');
	key_add(&of_case, data_bytes(nobody->case_id));
	key_char(&by_time, 't');
	struct key *const keys[] = {&of_case, &by_time};
	for (size_t i = 0; i < 2; i++) {
		key_add(keys[i], data_bytes(nobody->cause_id));
		key_add(keys[i], av_bytes_of(nobody->rule));
		key_char(keys[i], '\0');
		key_add(keys[i], av_bytes_of(nobody->role));
	}
	put_message(txn, TABLE_UNREACHABLE, key_end(&of_case, txn), &nobody->base, arena);
	av_put(txn, TABLE_UNREACHABLE, key_end(&by_time, txn), data_bytes(nobody->case_id));
	return AV_OK;
}

static void put_contact(struct av_txn *txn, struct av_bytes key, const struct contact *contact)
{
	unsigned char value[CONTACT_VALUE];
	value[0] = contact->has_mail;
	memcpy(value + 1, contact->content_id.bytes, AV_ID_SIZE);
	av_put_u64(value + 1 + AV_ID_SIZE, contact->key_number);
	av_put(txn, TABLE_CONTACTS, key, av_bytes(value, sizeof value));
}

static int apply_contact(struct av_txn *txn, const Avvik__V1__ContactStored *stored)
{
	struct key key = {.size = 0}, content = {.size = 0}, origin = {.size = 0}, from = {.size = 0};
	struct contact contact = {.has_mail = stored->has_mail};

	if (stored->person[0] == '\0' && stored->case_id.len != AV_ID_SIZE)
		return AV_INVALID;
	contact_key(&key, stored->person, data_bytes(stored->case_id));
	if (stored->content) {
		contact.content_id = id_of(stored->content->content_id);
		contact.key_number = stored->content->key_number;
		key_char(&content, 'c');
		key_add(&content, data_bytes(stored->content->content_id));
		av_put(txn, TABLE_CONTENTS, key_end(&content, txn), key_end(&key, txn));
	}
	if (stored->origin_content_id.len) {
		key_char(&origin, 'o');
		key_add(&origin, data_bytes(stored->origin_content_id));
		contact_key(&from, stored->person, data_bytes(stored->case_id));
		key_add(&from, id_bytes(&contact.content_id));
		av_put(txn, TABLE_CONTENTS, key_end(&origin, txn), key_end(&from, txn));
	}
	put_contact(txn, key_end(&key, txn), &contact);
	return AV_OK;
}

/* A reporter's record stays, without its address: it says that the report has arrived. A person's goes. */
static int apply_erased(struct av_txn *txn, const Avvik__V1__ContentErased *erased)
{
	struct key content = {.size = 0}, key = {.size = 0};
	struct contact contact, none = {.has_mail = false};
	struct av_bytes value;

	key_char(&content, 'c');
	key_add(&content, data_bytes(erased->content_id));
	if (av_get(txn, TABLE_CONTENTS, key_end(&content, txn), &value) < 0)
		return AV_OK;
	key_add(&key, value);
	av_delete(txn, TABLE_CONTENTS, key_end(&content, txn));
	if (av_get(txn, TABLE_CONTACTS, key_end(&key, txn), &value) < 0 || contact_read(value, &contact) < 0)
		return AV_OK;
	if (memcmp(contact.content_id.bytes, erased->content_id.data, AV_ID_SIZE) != 0)
		return AV_OK; /* another address has taken its place */
	if (key.bytes[0] == 'p')
		av_delete(txn, TABLE_CONTACTS, key_end(&key, txn));
	else
		put_contact(txn, key_end(&key, txn), &none);
	return AV_OK;
}

static void apply_seen(struct av_txn *txn, const Avvik__V1__Event *event)
{
	if (event->cause_id.len == AV_ID_SIZE)
		av_put(txn, TABLE_SEEN, data_bytes(event->cause_id), nothing());
}

static int apply_known(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	const Avvik__V1__CaseKnown *known = event->case_known;
	if (known->case_id.len != AV_ID_SIZE)
		return AV_INVALID;
	put_message(txn, TABLE_CASES, data_bytes(known->case_id), &known->base, arena);
	return AV_OK;
}

int notification_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena)
{
	switch (event->body_case) {
	case EVENT(NOTICE_DECIDED):
		return apply_decided(txn, event->notice_decided->notice, arena);
	case EVENT(NOTICE_DELIVERED):
		return apply_state(txn, event->notice_delivered->notice_id, STATE(DELIVERED),
			event->notice_delivered->attempts, "", event->recorded_at_ms, arena);
	case EVENT(NOTICE_GIVEN_UP):
		return apply_state(txn, event->notice_given_up->notice_id, STATE(GIVEN_UP),
			event->notice_given_up->attempts, event->notice_given_up->error,
			event->recorded_at_ms, arena);
	case EVENT(NOTICE_RETRIED):
		return apply_state(txn, event->notice_retried->notice_id, STATE(DECIDED), 0, "", 0, arena);
	case EVENT(NOTICE_UNREACHABLE):
		return apply_unreachable(txn, event->notice_unreachable, arena);
	case EVENT(CONTACT_STORED):
		apply_seen(txn, event);
		return apply_contact(txn, event->contact_stored);
	case EVENT(CONTENT_ERASED):
		return apply_erased(txn, event->content_erased);
	case EVENT(CASE_KNOWN):
		apply_seen(txn, event);
		return apply_known(txn, event, arena);
	case EVENT(RULES_PUBLISHED):
		apply_seen(txn, event);
		put_dated(txn, TABLE_PACKS, av_bytes_of(event->rules_published->rules->version),
			data_bytes(event->cause_id), &event->rules_published->rules->base, arena);
		return AV_OK;
	case EVENT(DIRECTORY_PUBLISHED):
		apply_seen(txn, event);
		put_dated(txn, TABLE_DIRECTORY, av_bytes_of(DIRECTORY_KEY), data_bytes(event->cause_id),
			&event->directory_published->directory->base, arena);
		return AV_OK;
	default:
		return AV_OK; /* what every daemon journals changes none of these records */
	}
}
