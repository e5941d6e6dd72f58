/* intake_publish.c - the directory and the rule packs: whole, checked, immutable, without names in the event
 */
#include "intake_world.h"

static Avvik__V1__Directory *lindaker(struct world *w)
{
	return support_lindaker(w->h->arena);
}

static Avvik__V1__RulePack *rules(struct world *w)
{
	return support_rules(w->h->arena);
}

static void fingerprint(struct world *w, unsigned char ret_hash[32])
{
	harness_fingerprint(w->h, ret_hash);
}

static void a_directory_is_published_without_names_and_addresses(void **state)
{
	struct world *w = *state;
	world_publish(w);
	const Avvik__V1__DirectoryPublished *event =
		harness_last(w->h, EVENT(DIRECTORY_PUBLISHED))->directory_published;
	assert_string_equal(event->directory->version, "lindaker-2026-01");
	assert_int_equal(event->directory->n_people, lindaker(w)->n_people);
	assert_int_equal(event->n_contacts, lindaker(w)->n_people);
	assert_int_equal(event->hash.len, 32);
	assert_string_equal(event->reason->text, "test");
	assert_true(event->contacts[0]->has_mail);
	assert_int_equal(event->contacts[0]->content->n_parts, 1);
	for (size_t i = 0; i < event->directory->n_people; i++) {
		const Avvik__V1__Person *person = event->directory->people[i];
		assert_true(*person->id && !*person->name && !*person->mail && !*person->phone);
	}
	assert_false(world_journal_holds(w, "@lindaker.example"));
	assert_false(world_journal_holds(w, "Beata Björkman"));
	assert_true(world_journal_holds(w, "beata.bjorkman"));
	harness_check_replay(w->h);
}

static void a_feed_with_that_right_opens_each_contact_in_order(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__Event *event = harness_last(w->h, EVENT(DIRECTORY_PUBLISHED));
	Avvik__V1__Directory *directory = lindaker(w);
	Avvik__V1__FeedItem item = AVVIK__V1__FEED_ITEM__INIT;
	struct av_txn *txn = harness_read(w->h);
	assert_int_equal(intake_service.open_parts(w->h->keys, txn, event, w->h->arena, &item), AV_OK);
	av_txn_abort(&txn);
	assert_int_equal(item.n_parts, directory->n_people);
	for (size_t i = 0; i < item.n_parts; i++) {
		Avvik__V1__Contact *contact =
			avvik__v1__contact__unpack(NULL, item.parts[i]->body.len, item.parts[i]->body.data);
		assert_string_equal(contact->mail, directory->people[i]->mail);
		assert_string_equal(contact->name, directory->people[i]->name);
		assert_string_equal(
			event->directory_published->contacts[i]->person, directory->people[i]->id);
		avvik__v1__contact__free_unpacked(contact, NULL);
	}
}

static void a_reporters_address_is_opened_for_the_feed_until_it_is_erased(void **state)
{
	struct world *w = *state;
	harness_want(world_file(w, &w->publisher, "r-1", world_report(w)), REPLY(DONE));
	Avvik__V1__Event *event = harness_last(w->h, EVENT(REPORT_FILED));
	Avvik__V1__FeedItem item = AVVIK__V1__FEED_ITEM__INIT;
	struct av_txn *txn = harness_read(w->h);
	assert_int_equal(intake_service.open_parts(w->h->keys, txn, event, w->h->arena, &item), AV_OK);
	assert_int_equal(item.n_parts, 1);
	Avvik__V1__Contact *contact =
		avvik__v1__contact__unpack(NULL, item.parts[0]->body.len, item.parts[0]->body.data);
	assert_string_equal(contact->mail, "rut@lindaker.example");
	assert_string_equal(contact->name, SECRET_REPORTER);
	avvik__v1__contact__free_unpacked(contact, NULL);
	av_txn_abort(&txn);

	Avvik__V1__FileReport *report = world_report(w);
	report->reporter = NULL;
	harness_want(world_file(w, &w->publisher, "r-2", report), REPLY(DONE));
	avvik__v1__feed_item__init(&item);
	txn = harness_read(w->h);
	assert_int_equal(intake_service.open_parts(w->h->keys, txn, harness_last(w->h, EVENT(REPORT_FILED)),
				 w->h->arena, &item),
		AV_OK);
	assert_int_equal(item.n_parts, 0);
	av_txn_abort(&txn);
}

static void a_faulty_directory_is_refused_with_all_its_faults_and_leaves_no_trace(void **state)
{
	struct world *w = *state;
	unsigned char before[32], after[32];
	harness_want(world_publish_rules(w, "rules", rules(w)), REPLY(DONE));
	Avvik__V1__Directory *directory = lindaker(w);
	directory->units[3]->parent = TEXT("nowhere");
	directory->units[4]->operation = AVVIK__V1__OPERATION__OPERATION_OWN;
	directory->people[0]->roles[0]->role = TEXT("KUNG");
	directory->people[1]->name = TEXT("");
	directory->people[3]->deputies[0]->person = TEXT("nobody");
	fingerprint(w, before);
	Avvik__V1__Reply *reply = world_publish_directory(w, "d-1", directory);
	fingerprint(w, after);
	harness_want(reply, REPLY(INVALID));
	assert_reply_faults(reply, "unknown_reference directory.units[3].parent|",
		"unknown_value directory.people[0].roles[0].role|", "required directory.people[1].name|",
		"unknown_reference directory.people[3].deputies[0].person|");
	assert_memory_equal(before, after, sizeof(before));
	/* corrected, under the same reference: what was refused was not kept */
	harness_want(world_publish_directory(w, "d-1", lindaker(w)), REPLY(DONE));
}

static void a_version_is_published_once_and_never_changes(void **state)
{
	struct world *w = *state;
	unsigned char before[32], after[32];
	world_publish(w);
	uint64_t head = harness_head(w->h);
	Avvik__V1__Reply *reply = world_publish_directory(w, "again", lindaker(w));
	harness_want(reply, REPLY(DONE));
	assert_false(reply->repeated);
	assert_non_null(strstr(reply->text, "nothing was changed"));
	assert_int_equal(harness_head(w->h), head);

	Avvik__V1__Directory *other = lindaker(w);
	other->people[0]->phone =
		TEXT("099-1"); /* the event's directory is the same: only the contact differs */
	fingerprint(w, before);
	reply = world_publish_directory(w, "other", other);
	fingerprint(w, after);
	harness_want(reply, REPLY(CONFLICT));
	assert_reply_faults(reply, "duplicate directory.version|a version of its own");
	assert_memory_equal(before, after, sizeof(before));

	other = lindaker(w);
	other->units[0]->name = TEXT("Annat");
	harness_want(world_publish_directory(w, "other-2", other), REPLY(CONFLICT));
	harness_check_replay(w->h);
}

static void the_same_order_again_gets_the_same_reply(void **state)
{
	struct world *w = *state;
	world_publish(w);
	uint64_t head = harness_head(w->h);
	Avvik__V1__Reply *reply = world_publish_directory(w, "directory", lindaker(w));
	assert_true(reply->repeated);
	assert_string_equal(reply->directory_accepted->version, "lindaker-2026-01");
	reply = world_publish_rules(w, "rules", rules(w));
	assert_true(reply->repeated);
	assert_string_equal(reply->rules_accepted->version, "se-2025-07");
	assert_int_equal(harness_head(w->h), head);
}

static void a_new_directory_keeps_unchanged_contacts_and_erases_the_others(void **state)
{
	struct world *w = *state;
	world_publish(w);
	const Avvik__V1__DirectoryPublished *old =
		harness_last(w->h, EVENT(DIRECTORY_PUBLISHED))->directory_published;
	uint64_t head = harness_head(w->h);
	Avvik__V1__Directory *directory = lindaker(w);
	directory->version = TEXT("lindaker-2026-02");
	directory->people[0]->mail = TEXT("ny@lindaker.example");
	directory->n_people--; /* the last one has left */
	harness_want(world_publish_directory(w, "d-2", directory), REPLY(DONE));
	const Avvik__V1__DirectoryPublished *new =
		harness_last(w->h, EVENT(DIRECTORY_PUBLISHED))->directory_published;
	assert_int_equal(new->n_contacts, old->n_contacts - 1);
	assert_memory_not_equal(new->contacts[0]->content->content_id.data,
		old->contacts[0]->content->content_id.data, AV_ID_SIZE);
	assert_memory_equal(new->contacts[1]->content->content_id.data,
		old->contacts[1]->content->content_id.data, AV_ID_SIZE);
	assert_int_equal(harness_count(w->h, EVENT(CONTENT_ERASED), head), 2);
	Avvik__V1__Event *erased = harness_last(w->h, EVENT(CONTENT_ERASED));
	assert_string_equal(erased->content_erased->reason, "superseded");
	assert_int_equal(erased->case_id.len, 0);

	struct av_txn *txn = harness_read(w->h);
	Avvik__V1__FeedItem item = AVVIK__V1__FEED_ITEM__INIT;
	Avvik__V1__Event first = AVVIK__V1__EVENT__INIT;
	av_body_set(&first.base, EVENT(DIRECTORY_PUBLISHED), (ProtobufCMessage *)(uintptr_t)&old->base);
	assert_int_equal(intake_service.open_parts(w->h->keys, txn, &first, w->h->arena, &item), AV_OK);
	assert_int_equal(item.n_parts, old->n_contacts);
	assert_int_equal(item.parts[0]->body.len, 0);
	assert_int_not_equal(item.parts[1]->body.len, 0);
	av_txn_abort(&txn);
	harness_check_replay(w->h);
}

static void the_directory_in_force_is_shown_and_people_only_to_those_who_act(void **state)
{
	struct world *w = *state;
	Avvik__V1__GetDirectory query = AVVIK__V1__GET_DIRECTORY__INIT;
	harness_want(world_ask(w, &w->publisher, COMMAND(GET_DIRECTORY), &query.base), REPLY(NOT_FOUND));
	world_publish(w);
	Avvik__V1__Reply *reply = world_ask(w, &w->administrator, COMMAND(GET_DIRECTORY), &query.base);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->directory_found->directory->n_people, lindaker(w)->n_people);
	assert_string_equal(reply->directory_found->directory->people[0]->mail, "");
	reply = world_ask(w, &w->publisher, COMMAND(GET_DIRECTORY), &query.base);
	assert_int_equal(reply->directory_found->directory->n_units, lindaker(w)->n_units);
	assert_int_equal(reply->directory_found->directory->n_people, 0);
}

static void names_are_given_to_who_may_read_content_and_no_addresses(void **state)
{
	struct world *w = *state;
	char *asked[] = {(char *)"beata.bjorkman", (char *)"who.left", (char *)"saga.samordnare"};
	Avvik__V1__GetDirectory query = AVVIK__V1__GET_DIRECTORY__INIT;
	world_publish(w);
	query.names_of = asked;
	query.n_names_of = 3;
	Avvik__V1__Reply *reply = harness_order(
		w->h, &w->case_system, NULL, "saga.samordnare", COMMAND(GET_DIRECTORY), &query.base);
	harness_want(reply, REPLY(DONE));
	const Avvik__V1__Directory *found = reply->directory_found->directory;
	assert_int_equal(found->n_units, 0);
	assert_int_equal(found->n_people, 2);
	assert_string_equal(found->people[0]->id, "beata.bjorkman");
	assert_string_equal(found->people[0]->name, "Beata Björkman");
	assert_string_equal(found->people[1]->id, "saga.samordnare");
	for (size_t i = 0; i < found->n_people; i++)
		assert_true(
			!*found->people[i]->mail && !*found->people[i]->phone && !found->people[i]->n_roles);
	/* Nobody behind it, somebody unknown, a principal without the right to content. */
	harness_want(world_ask(w, &w->case_system, COMMAND(GET_DIRECTORY), &query.base), REPLY(FORBIDDEN));
	harness_want(
		harness_order(w->h, &w->case_system, NULL, "who.left", COMMAND(GET_DIRECTORY), &query.base),
		REPLY(FORBIDDEN));
	harness_want(harness_order(w->h, &w->administrator, NULL, "saga.samordnare", COMMAND(GET_DIRECTORY),
			     &query.base),
		REPLY(FORBIDDEN));
}

static void a_directory_may_come_before_the_rules(void **state)
{
	struct world *w = *state;
	Avvik__V1__Directory *directory = lindaker(w);
	directory->people[0]->roles[0]->role = TEXT("KUNG"); /* no rules yet that could know it */
	harness_want(world_publish_directory(w, "d-1", directory), REPLY(DONE));
	harness_want(world_publish_rules(w, "rules", rules(w)), REPLY(DONE));
	directory->version = TEXT("d-2");
	harness_want(world_publish_directory(w, "d-2", directory), REPLY(INVALID));
}

static void a_faulty_rule_pack_is_refused_with_all_its_faults_and_leaves_no_trace(void **state)
{
	struct world *w = *state;
	unsigned char before[32], after[32];
	Avvik__V1__RulePack *pack = rules(w);
	pack->roles[1]->name = TEXT(" ");
	pack->categories[1]->parent = TEXT("NIX");
	pack->areas[1]->code = pack->areas[0]->code;
	pack->deadlines[0]->source = TEXT("");
	pack->deadlines[1]->met_by[0] = pack->deadlines[1]->starts;
	pack->notices[0]->event = TEXT("CaseOpend");
	pack->notices[1]->n_to = 0;
	pack->acts[0]->act = TEXT("plaice");
	pack->risk->size = 5;
	fingerprint(w, before);
	Avvik__V1__Reply *reply = world_publish_rules(w, "r-1", pack);
	fingerprint(w, after);
	harness_want(reply, REPLY(INVALID));
	assert_reply_faults(reply, "required rules.roles[1].name|",
		"unknown_reference rules.categories[1].parent|", "duplicate rules.areas[1].code|",
		"required rules.deadlines[0].source|", "contradiction rules.deadlines[1].met_by[0]|",
		"unknown_reference rules.notices[0].event|", "required rules.notices[1].to|",
		"unknown_reference rules.acts[0].act|", "required rules.acts|`name_reporter`",
		"contradiction rules.risk.probabilities|", "contradiction rules.risk.severities|");
	assert_memory_equal(before, after, sizeof(before));
}

static void a_rule_pack_is_published_once_and_followed_by_the_next(void **state)
{
	struct world *w = *state;
	unsigned char before[32], after[32];
	world_publish(w);
	uint64_t head = harness_head(w->h);
	const Avvik__V1__RulesPublished *event = harness_last(w->h, EVENT(RULES_PUBLISHED))->rules_published;
	assert_string_equal(event->rules->version, "se-2025-07");
	assert_int_equal(event->hash.len, 32);
	assert_string_equal(event->reason->text, "test");
	Avvik__V1__Reply *reply = world_publish_rules(w, "again", rules(w));
	harness_want(reply, REPLY(DONE));
	assert_int_equal(harness_head(w->h), head);

	Avvik__V1__RulePack *pack = rules(w);
	pack->title = TEXT("Annat");
	fingerprint(w, before);
	reply = world_publish_rules(w, "other", pack);
	harness_want(reply, REPLY(CONFLICT));
	assert_reply_faults(reply, "duplicate rules.version|");
	pack->version = TEXT("se-2024");
	pack->valid_from_on = support_day("2024-01-01");
	reply = world_publish_rules(w, "earlier", pack);
	fingerprint(w, after);
	harness_want(reply, REPLY(INVALID));
	assert_reply_faults(reply, "contradiction rules.valid_from_on|before 2025-07-01");
	assert_memory_equal(before, after, sizeof(before));

	pack->version = TEXT("se-2026-07");
	pack->valid_from_on = support_day("2026-07-01");
	harness_want(world_publish_rules(w, "next", pack), REPLY(DONE));

	/* Cases of the days before the first wait for rules: those come afterwards, and end where it begins. */
	pack->version = TEXT("se-2024");
	pack->valid_from_on = support_day("2024-01-01");
	pack->valid_until_on = support_day("2025-06-30");
	harness_want(world_publish_rules(w, "earlier", pack), REPLY(DONE));
	harness_check_replay(w->h);
}

static void rules_are_found_by_version_or_by_the_day(void **state)
{
	struct world *w = *state;
	Avvik__V1__GetRules query = AVVIK__V1__GET_RULES__INIT;
	harness_want(world_ask(w, &w->publisher, COMMAND(GET_RULES), &query.base), REPLY(NOT_FOUND));
	Avvik__V1__RulePack *pack = rules(w);
	harness_want(world_publish_rules(w, "first", pack), REPLY(DONE));
	pack->version = TEXT("se-2026-07");
	pack->valid_from_on = support_day("2026-07-01");
	harness_want(world_publish_rules(w, "next", pack), REPLY(DONE));
	static const struct {
		const char *now, *version, *want;
	} rows[] = {
		{"2026-06-30 23:59", "", "se-2025-07"},
		{"2026-07-01 00:00", "", "se-2026-07"},
		{"2026-07-01 00:00", "se-2025-07", "se-2025-07"},
		{"2026-04-07 12:00", "se-2026-07", "se-2026-07"},
		{"2026-04-07 12:00", "se-1998", NULL},
		{"2025-06-30 12:00", "", NULL},
	};
	for (size_t i = 0; i < AV_COUNT(rows); i++) {
		w->h->now_ms = harness_at(rows[i].now);
		query.version = TEXT(rows[i].version);
		Avvik__V1__Reply *reply = world_ask(w, &w->publisher, COMMAND(GET_RULES), &query.base);
		harness_want(reply, rows[i].want ? REPLY(DONE) : REPLY(NOT_FOUND));
		if (rows[i].want)
			assert_string_equal(reply->rules_found->rules->version, rows[i].want);
	}
}

static void the_rules_of_the_day_it_was_received_judge_a_report(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__RulePack *pack = rules(w);
	pack->version = TEXT("se-2026-07");
	pack->valid_from_on = support_day("2026-07-01");
	pack->n_categories = 4; /* FYS and SEX alone */
	harness_want(world_publish_rules(w, "next", pack), REPLY(DONE));
	w->h->now_ms = harness_at("2026-07-02 09:00");
	Avvik__V1__FileReport *report = world_report(w);
	report->received_at_ms = harness_at("2026-06-30 23:00");
	Avvik__V1__Reply *reply = world_file(w, &w->publisher, "r-1", report);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->n_faults, 0);
	report->received_at_ms = 0;
	reply = world_file(w, &w->publisher, "r-2", report);
	assert_reply_faults(reply, "unknown_value category|", "unknown_value subcategory|");
}

static void only_an_administrator_publishes(void **state)
{
	struct world *w = *state;
	Avvik__V1__PublishRules order = AVVIK__V1__PUBLISH_RULES__INIT;
	Avvik__V1__PublishDirectory directory = AVVIK__V1__PUBLISH_DIRECTORY__INIT;
	order.rules = rules(w);
	directory.directory = lindaker(w);
	harness_want(harness_order(w->h, &w->publisher, "r", NULL, COMMAND(PUBLISH_RULES), &order.base),
		REPLY(FORBIDDEN));
	harness_want(
		harness_order(w->h, &w->case_system, "d", NULL, COMMAND(PUBLISH_DIRECTORY), &directory.base),
		REPLY(FORBIDDEN));
}

/* A thousand people more: more keys than were made ahead. */
static void a_large_directory_takes_one_turn(void **state)
{
	struct world *w = *state;
	Avvik__V1__Directory *directory = lindaker(w);
	size_t more = 3000, count = directory->n_people;
	Avvik__V1__Person **people = av_arena_alloc(w->h->arena, (count + more) * sizeof(*people));
	memcpy(people, directory->people, count * sizeof(*people));
	for (size_t i = 0; i < more; i++) {
		Avvik__V1__Person *person = AV_NEW(w->h->arena, Avvik__V1__Person, avvik__v1__person);
		person->id = av_arena_printf(w->h->arena, "medarbetare.%zu", i);
		person->name = TEXT("Medar Betare");
		people[count + i] = person;
	}
	directory->people = people;
	directory->n_people = count + more;
	harness_want(world_publish_directory(w, "d-1", directory), REPLY(DONE));
	assert_int_equal(harness_last(w->h, EVENT(DIRECTORY_PUBLISHED))->directory_published->n_contacts,
		count + more);
	harness_check_replay(w->h);
}

static struct av_item item_of(struct world *w, const struct av_principal *sender, const char *reference,
	unsigned int number, ProtobufCMessage *body)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	command.reference = TEXT(reference);
	av_body_set(&command.base, number, body);
	return (struct av_item){.kind = AV_ITEM_COMMAND,
		.arrived_at_ms = w->h->now_ms,
		.wire = av_message_pack(&command.base, w->h->arena),
		.principal = sender};
}

/* A turn that is given up leaves its directory in memory; the next one may get the same place in the journal.
 */
static void a_directory_of_a_turn_that_was_given_up_judges_nothing(void **state)
{
	struct world *w = *state;
	struct harness_options options = {
		.service = &intake_service, .now_ms = w->h->now_ms, .map_bytes = 640 * 1024};
	enum { REPORTS = 600 };
	static struct av_item items[1 + REPORTS];
	Avvik__V1__PublishDirectory first = AVVIK__V1__PUBLISH_DIRECTORY__INIT;
	harness_close(&w->h);
	w->h = harness_open_with(&options);
	first.directory = lindaker(w);
	items[0] = item_of(w, &w->administrator, "first", COMMAND(PUBLISH_DIRECTORY), &first.base);
	for (size_t i = 1; i <= REPORTS; i++)
		items[i] = item_of(w, &w->publisher, av_arena_printf(w->h->arena, "r-%zu", i),
			COMMAND(FILE_REPORT), &world_report(w)->base);
	assert_int_equal(harness_run(w->h, items, 1 + REPORTS), AV_FULL);
	assert_int_equal(harness_count(w->h, EVENT(DIRECTORY_PUBLISHED), 0), 0);

	Avvik__V1__Directory *second =
		DIRECTORY("version: t\n"
			  "units: [{ code: n, name: N, level: committee, operation: own }]\n"
			  "people: [{ id: x, name: X, roles: [{ role: EC, unit: n }] }]\n",
			w->h->arena);
	harness_want(world_publish_directory(w, "second", second), REPLY(DONE));
	harness_want(world_file(w, &w->publisher, "after", world_report(w)), REPLY(DONE));
	const Avvik__V1__ReportFiled *filed = harness_last(w->h, EVENT(REPORT_FILED))->report_filed;
	assert_string_equal(filed->directory_version, "t");
	assert_false(filed->placed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_directory_is_published_without_names_and_addresses),
		world_test(a_feed_with_that_right_opens_each_contact_in_order),
		world_test(a_reporters_address_is_opened_for_the_feed_until_it_is_erased),
		world_test(a_faulty_directory_is_refused_with_all_its_faults_and_leaves_no_trace),
		world_test(a_version_is_published_once_and_never_changes),
		world_test(the_same_order_again_gets_the_same_reply),
		world_test(a_new_directory_keeps_unchanged_contacts_and_erases_the_others),
		world_test(names_are_given_to_who_may_read_content_and_no_addresses),
		world_test(the_directory_in_force_is_shown_and_people_only_to_those_who_act),
		world_test(a_directory_may_come_before_the_rules),
		world_test(a_faulty_rule_pack_is_refused_with_all_its_faults_and_leaves_no_trace),
		world_test(a_rule_pack_is_published_once_and_followed_by_the_next),
		world_test(rules_are_found_by_version_or_by_the_day),
		world_test(the_rules_of_the_day_it_was_received_judge_a_report),
		world_test(only_an_administrator_publishes),
		world_test(a_large_directory_takes_one_turn),
		world_test(a_directory_of_a_turn_that_was_given_up_judges_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
