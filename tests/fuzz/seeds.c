/* seeds.c - rows of steps from YAML */
#include "seeds.h"

#include <avvik/v1/command.pb-c.h>
#include <avvik/v1/envelope.pb-c.h>
#include <avvik/v1/feed.pb-c.h>
#include <stdio.h>
#include <stdlib.h>

#include "seal/crypto.h"
#include "wire/yaml.h"

static const char *const feeds[] = {"intake", "workflow", "notification"};

struct reading {
	const char *path;
	const struct av_yaml *yaml;
	struct av_arena *arena;
	unsigned int events;
	unsigned char salt[2]; /* of the file's name: ids of two files differ */
};

static void fail(const struct reading *r, const char *what, const struct av_faults *faults)
{
	fprintf(stderr, "%s: %s\n", r->path, what);
	for (const struct av_fault *fault = faults ? faults->first : NULL; fault; fault = fault->next)
		fprintf(stderr, "  %s: %s\n", fault->path, fault->text);
	exit(1);
}

static ProtobufCMessage *message_of(
	const struct reading *r, const json_t *json, const ProtobufCMessageDescriptor *type)
{
	struct av_faults faults;
	ProtobufCMessage *message = NULL;
	av_faults_init(&faults, r->arena);
	/* What breaks a rule may be wanted; what is no field may not. */
	if (av_json_to(type, json, r->arena, &faults, &message) != AV_OK)
		fail(r, type->short_name, &faults);
	return message;
}

/* A file from the root of the tree, with what goes before its own fields; of lists, behind them. */
static json_t *file_json(const struct reading *r, const json_t *json)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	const char *path = av_arena_printf(
		r->arena, "%s/%s", SOURCE_DIR, json_string_value(json_object_get(json, "file")));
	const char *name;
	json_t *more;
	av_faults_init(&faults, r->arena);
	if (av_yaml_open_file(path, &faults, &yaml) != AV_OK)
		fail(r, path, &faults);
	json_t *file = json_deep_copy(av_yaml_json(yaml));
	av_yaml_close(&yaml);
	json_object_foreach(json_object_get(json, "with"), name, more)
	{
		json_t *own = json_object_get(file, name);
		if (json_is_array(own) && json_is_array(more))
			json_array_extend(own, more);
		else
			json_object_set(file, name, more);
	}
	return file;
}

static ProtobufCMessage *file_of(
	const struct reading *r, const json_t *json, const ProtobufCMessageDescriptor *type)
{
	json_t *file = file_json(r, json);
	ProtobufCMessage *message = message_of(r, file, type);
	json_decref(file);
	return message;
}

static ProtobufCBinaryData binary(struct av_bytes bytes)
{
	return (ProtobufCBinaryData){bytes.size, (uint8_t *)(uintptr_t)bytes.data};
}

/* A number of its own as an id; what stands in it tells people what it is. */
static ProtobufCBinaryData id_of(struct reading *r, unsigned char kind, unsigned int number)
{
	unsigned char id[16] = {0x01, 0x9d, 0x66, r->salt[0], r->salt[1], kind, 0x70, 0, 0x80};
	av_put_u32(id + 12, number);
	return (ProtobufCBinaryData){16, av_arena_copy(r->arena, id, sizeof id)};
}

static ProtobufCBinaryData hash_of(struct reading *r, const ProtobufCMessage *message)
{
	unsigned char *hash = av_arena_alloc(r->arena, AV_HASH_SIZE);
	av_hash(av_message_pack(message, r->arena), hash);
	return (ProtobufCBinaryData){AV_HASH_SIZE, hash};
}

static void *made(struct reading *r, const ProtobufCMessageDescriptor *type)
{
	void *message = av_arena_alloc(r->arena, type->sizeof_message);
	protobuf_c_message_init(type, message);
	return message;
}

/* --- publishing --- */

static Avvik__V1__DirectoryPublished *directory_published(
	struct reading *r, const json_t *json, Avvik__V1__FeedItem *item)
{
	static char no_text[] = "";
	static Avvik__V1__ContentPart contact[] = {AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT};
	Avvik__V1__DirectoryPublished *body = made(r, &avvik__v1__directory_published__descriptor);
	Avvik__V1__Directory *directory =
		(Avvik__V1__Directory *)file_of(r, json, &avvik__v1__directory__descriptor);
	size_t people = directory->n_people;
	body->directory = directory;
	body->contacts = av_arena_alloc(r->arena, (people + 1) * sizeof *body->contacts);
	item->parts = av_arena_alloc(r->arena, (people + 1) * sizeof *item->parts);
	for (size_t i = 0; i < people; i++) {
		Avvik__V1__PersonContact *person = made(r, &avvik__v1__person_contact__descriptor);
		Avvik__V1__ContentRef *ref = made(r, &avvik__v1__content_ref__descriptor);
		Avvik__V1__OpenedPart *part = made(r, &avvik__v1__opened_part__descriptor);
		Avvik__V1__Contact address = AVVIK__V1__CONTACT__INIT;
		ref->content_id = id_of(r, 0xcc, (unsigned int)i);
		ref->commitment = hash_of(r, &directory->people[i]->base);
		ref->n_parts = 1;
		ref->parts = contact;
		person->person = directory->people[i]->id;
		person->content = ref;
		address.name = directory->people[i]->id;
		address.mail = av_arena_printf(r->arena, "%s@example.se", directory->people[i]->id);
		part->part = contact[0];
		part->body = binary(av_message_pack(&address.base, r->arena));
		body->contacts[body->n_contacts++] = person;
		item->parts[item->n_parts++] = part;
		directory->people[i]->name = directory->people[i]->mail = directory->people[i]->phone =
			no_text;
	}
	body->hash = hash_of(r, &directory->base);
	return body;
}

static void publish_event(
	struct reading *r, const json_t *json, Avvik__V1__Event *event, Avvik__V1__FeedItem *item)
{
	if (strcmp(json_string_value(json_object_get(json, "publish")), "directory") == 0) {
		event->body_case = AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED;
		event->directory_published = directory_published(r, json, item);
		return;
	}
	Avvik__V1__RulesPublished *body = made(r, &avvik__v1__rules_published__descriptor);
	body->rules = (Avvik__V1__RulePack *)file_of(r, json, &avvik__v1__rule_pack__descriptor);
	body->hash = hash_of(r, &body->rules->base);
	event->body_case = AVVIK__V1__EVENT__BODY_RULES_PUBLISHED;
	event->rules_published = body;
}

static struct av_bytes publish_command(struct reading *r, const json_t *json)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	const char *what = json_string_value(json_object_get(json, "publish"));
	command.reference = av_arena_printf(r->arena, "publish-%s-%u", what, ++r->events);
	if (strcmp(what, "directory") == 0) {
		Avvik__V1__PublishDirectory *order = made(r, &avvik__v1__publish_directory__descriptor);
		order->directory =
			(Avvik__V1__Directory *)file_of(r, json, &avvik__v1__directory__descriptor);
		order->reason = av_arena_strdup(r->arena, "test");
		av_body_set(&command.base, AVVIK__V1__COMMAND__BODY_PUBLISH_DIRECTORY, &order->base);
	} else {
		Avvik__V1__PublishRules *order = made(r, &avvik__v1__publish_rules__descriptor);
		order->rules = (Avvik__V1__RulePack *)file_of(r, json, &avvik__v1__rule_pack__descriptor);
		order->reason = av_arena_strdup(r->arena, "test");
		av_body_set(&command.base, AVVIK__V1__COMMAND__BODY_PUBLISH_RULES, &order->base);
	}
	return av_message_pack(&command.base, r->arena);
}

/* --- steps --- */

static Avvik__V1__Event *event_of(struct reading *r, const json_t *json)
{
	Avvik__V1__Event *event =
		json ? (Avvik__V1__Event *)message_of(r, json, &avvik__v1__event__descriptor)
		     : made(r, &avvik__v1__event__descriptor);
	Avvik__V1__Actor *actor = made(r, &avvik__v1__actor__descriptor);
	if (event->event_id.len == 0)
		event->event_id = id_of(r, 0xee, ++r->events);
	if (event->trace_id.len == 0)
		event->trace_id = event->event_id;
	event->schema = 1;
	actor->principal = av_arena_strdup(r->arena, "avvik");
	if (!event->actor)
		event->actor = actor;
	return event;
}

static void parts_of(struct reading *r, const json_t *list, Avvik__V1__FeedItem *item)
{
	size_t index;
	json_t *one;
	item->parts = av_arena_alloc(r->arena, (json_array_size(list) + 1) * sizeof *item->parts);
	json_array_foreach(list, index, one)
	{
		Avvik__V1__OpenedPart *part = made(r, &avvik__v1__opened_part__descriptor);
		ProtobufCMessage *contact =
			message_of(r, json_object_get(one, "contact"), &avvik__v1__contact__descriptor);
		part->part = AVVIK__V1__CONTENT_PART__CONTENT_PART_CONTACT;
		part->body = binary(av_message_pack(contact, r->arena));
		item->parts[item->n_parts++] = part;
	}
}

static struct av_bytes batch_of(struct reading *r, const json_t *json)
{
	const json_t *events = json_object_get(json, "events");
	size_t count = events ? json_array_size(events) : 1;
	Avvik__V1__FeedBatch batch = AVVIK__V1__FEED_BATCH__INIT;
	Avvik__V1__Cursor reached = AVVIK__V1__CURSOR__INIT;
	batch.items = av_arena_alloc(r->arena, (count + 1) * sizeof *batch.items);
	for (size_t i = 0; i < count; i++) {
		Avvik__V1__FeedItem *item = made(r, &avvik__v1__feed_item__descriptor);
		Avvik__V1__Event *event = event_of(r, events ? json_array_get(events, i) : NULL);
		if (!events)
			publish_event(r, json, event, item);
		if (json_object_get(json, "parts"))
			parts_of(r, json_object_get(json, "parts"), item);
		item->event = binary(av_message_pack(&event->base, r->arena));
		item->sequence = i + 1;
		batch.items[batch.n_items++] = item;
	}
	reached.epoch_id = id_of(r, 0xff, 1);
	reached.chain_hash = (ProtobufCBinaryData){32, av_arena_zalloc(r->arena, 32)};
	reached.sequence = batch.head = count;
	batch.reached = &reached;
	return av_message_pack(&batch.base, r->arena);
}

static struct av_bytes number_of(struct reading *r, const json_t *json)
{
	uint64_t number = (uint64_t)json_integer_value(json);
	unsigned char *bytes = av_arena_alloc(r->arena, 4);
	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(number >> 8 * i);
	return av_bytes(bytes, 4);
}

static unsigned char feed_of(const struct reading *r, const char *name)
{
	for (size_t i = 0; i < AV_COUNT(feeds); i++)
		if (strcmp(feeds[i], name) == 0)
			return (unsigned char)i;
	fail(r, "no such feed", NULL);
	return 0;
}

/* { get_case: {...} }: its only message. */
static json_t *body_of(json_t *command)
{
	const char *name;
	json_t *value;
	json_object_foreach(command, name, value) if (json_is_object(value)) return value;
	return NULL;
}

/* A grant is signed by whoever plays it. */
static struct av_bytes command_of(struct reading *r, json_t *json, json_t *files)
{
	const char *name;
	json_t *file;
	json_object_foreach(files, name, file) json_object_set_new(body_of(json), name, file_json(r, file));

	json_t *open = json_object_get(json, "open_content"),
	       *grant = open ? json_object_get(open, "grant_body") : NULL;
	ProtobufCMessage *body = NULL;
	if (grant) {
		body = message_of(r, grant, &avvik__v1__grant_body__descriptor);
		json_object_del(open, "grant_body");
		json_object_set_new(open, "grant",
			json_pack("{s:s,s:s}", "body", "00", "signature",
				"0000000000000000000000000000000000000000000000000000000000000000"
				"0000000000000000000000000000000000000000000000000000000000000000"));
	}
	Avvik__V1__Command *command =
		(Avvik__V1__Command *)message_of(r, json, &avvik__v1__command__descriptor);
	if (body)
		command->open_content->grant->body = binary(av_message_pack(body, r->arena));
	return av_message_pack(&command->base, r->arena);
}

static struct step step_of(struct reading *r, json_t *json)
{
	const json_t *follow = json_object_get(json, "follow");
	struct step step = {.follow = !follow || json_is_true(follow),
		.joined = json_is_true(json_object_get(json, "joined")),
		.who = (unsigned char)json_integer_value(json_object_get(json, "as"))};
	if (json_object_get(json, "refused")) {
		step.kind = STEP_REFUSED;
		step.who = feed_of(r, json_string_value(json_object_get(json, "feed")));
		step.body = number_of(r, json_object_get(json, "refused"));
	} else if (json_object_get(json, "feed")) {
		step.kind = STEP_FEED;
		step.who = feed_of(r, json_string_value(json_object_get(json, "feed")));
		step.body = batch_of(r, json);
	} else if (json_object_get(json, "publish")) {
		step.kind = STEP_COMMAND;
		step.body = publish_command(r, json);
	} else if (json_object_get(json, "command")) {
		step.kind = STEP_COMMAND;
		step.body = command_of(r, json_object_get(json, "command"), json_object_get(json, "files"));
	} else if (json_object_get(json, "apply")) {
		step.kind = STEP_APPLY;
		step.body = av_message_pack(&event_of(r, json_object_get(json, "apply"))->base, r->arena);
	} else if (json_object_get(json, "due")) {
		step.kind = STEP_DUE;
		step.body = number_of(r, json_object_get(json, "due"));
	} else if (json_object_get(json, "ended")) {
		step.kind = STEP_ENDED;
		step.body = number_of(r, json_object_get(json, "ended"));
	} else {
		step.kind = json_object_get(json, "restart")  ? STEP_RESTART
			    : json_object_get(json, "upkeep") ? STEP_UPKEEP
							      : STEP_LOOK;
	}
	return step;
}

size_t seeds_load(const char *path, struct av_arena *arena, struct step *ret_steps, size_t max)
{
	struct av_faults faults;
	struct av_yaml *yaml = NULL;
	struct reading reading = {.path = path, .arena = arena};
	size_t index, count = 0;
	json_t *one;
	av_faults_init(&faults, arena);
	for (const char *at = path; *at; at++)
		reading.salt[*at & 1] = (unsigned char)(reading.salt[*at & 1] * 31 + *at);
	if (av_yaml_open_file(path, &faults, &yaml) != AV_OK)
		fail(&reading, "cannot be read", &faults);
	reading.yaml = yaml;
	json_t *list = json_deep_copy(av_yaml_json(yaml));
	json_array_foreach(list, index, one)
	{
		if (count == max)
			fail(&reading, "has too many steps", NULL);
		ret_steps[count++] = step_of(&reading, one);
	}
	json_decref(list);
	av_yaml_close(&yaml);
	return count;
}
