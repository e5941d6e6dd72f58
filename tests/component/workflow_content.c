/* workflow_content.c - who may read or erase what a case holds; the workflow's own content; addresses in its
 * feed */
#include "workflow_world.h"

#include <stdio.h>
#include <string.h>

#include "store/content.h"

struct grants {
	Avvik__V1__Grant *intake, *workflow; /* NULL: none */
	Avvik__V1__GrantBody *intake_body, *workflow_body;
};

static Avvik__V1__GrantBody *body_of(struct world *w, const Avvik__V1__Grant *grant)
{
	ProtobufCMessage *body = NULL;
	assert_int_equal(av_message_load(&avvik__v1__grant_body__descriptor,
				 av_bytes(grant->body.data, grant->body.len), w->h->arena, &body),
		AV_OK);
	return (Avvik__V1__GrantBody *)body;
}

static struct grants grants_of(struct world *w, const Avvik__V1__Reply *reply)
{
	struct grants grants = {0};

	harness_want(reply, REPLY(DONE));
	for (size_t i = 0; i < reply->grant_issued->n_grants; i++) {
		Avvik__V1__Grant *grant = reply->grant_issued->grants[i];
		Avvik__V1__GrantBody *body = body_of(w, grant);
		bool intake = strcmp(body->items[0]->holder, "intake") == 0;
		for (size_t k = 0; k < body->n_items; k++)
			assert_string_equal(body->items[k]->holder, intake ? "intake" : "workflow");
		*(intake ? &grants.intake : &grants.workflow) = grant;
		*(intake ? &grants.intake_body : &grants.workflow_body) = body;
	}
	return grants;
}

static Avvik__V1__Reply *ask_to_read(
	struct world *w, const char *person, struct av_id id, const char *purpose, const char *reference)
{
	Avvik__V1__ReadContent read = AVVIK__V1__READ_CONTENT__INIT;
	read.case_id = BINARY(id);
	read.purpose = TEXT(purpose);
	return harness_order(w->h, &w->cases, reference, person, COMMAND(READ_CONTENT), &read.base);
}

static Avvik__V1__Reply *open_with(struct world *w, const char *person, Avvik__V1__Grant *grant)
{
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	char reference[40];
	open.grant = grant;
	snprintf(reference, sizeof(reference), "open-%u", ++w->references);
	return harness_order(w->h, &w->cases, reference, person, COMMAND(OPEN_CONTENT), &open.base);
}

static struct av_id remedied_case(struct world *w)
{
	Avvik__V1__Remedy remedy = AVVIK__V1__REMEDY__INIT;
	struct av_id id = world_file(w, world_report(w));
	remedy.text = TEXT("extra bemanning natt");
	world_does(w, "anna", &id, ACT(REMEDY), &remedy.base, NULL);
	return id;
}

static void a_grant_opens_the_texts_of_one_case_for_one_person_once(void **state)
{
	struct world w;
	struct av_id id;
	struct grants grants;
	Avvik__V1__Reply *reply;
	Avvik__V1__OpenedItem *item;
	ProtobufCMessage *text = NULL;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = remedied_case(&w);
	grants = grants_of(&w, ask_to_read(&w, "sara", id, "utredning", "r1"));
	assert_non_null(grants.intake);
	assert_non_null(grants.workflow);
	assert_int_equal(grants.intake_body->n_items, 1);
	assert_int_equal(grants.intake_body->items[0]->n_parts, 2); /* an address is for notification */
	assert_string_equal(grants.workflow_body->person, "sara");
	assert_string_equal(grants.workflow_body->purpose, "utredning");
	assert_int_equal(grants.workflow_body->expires_at_ms, w.h->now_ms + 60000);
	assert_true(
		ask_to_read(&w, "sara", id, "utredning", "r1")->repeated); /* the same grants, told once */
	assert_int_equal(harness_count(w.h, EVENT(CONTENT_GRANTED), 0), 2);
	harness_want(open_with(&w, "eva", grants.workflow), REPLY(FORBIDDEN)); /* another person */
	reply = open_with(&w, "sara", grants.intake);
	assert_int_not_equal(reply->status, REPLY(DONE)); /* another holder's */
	reply = open_with(&w, "sara", grants.workflow);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->opened_content->n_items, 1);
	item = reply->opened_content->items[0];
	assert_int_equal(
		av_message_load(&avvik__v1__case_text__descriptor,
			av_bytes(item->parts[0]->body.data, item->parts[0]->body.len), w.h->arena, &text),
		AV_OK);
	assert_string_equal(((Avvik__V1__CaseText *)text)->text, "extra bemanning natt");
	assert_string_equal(harness_last(w.h, EVENT(CONTENT_READ))->content_read->person, "sara");
	harness_want(open_with(&w, "sara", grants.workflow), REPLY(FORBIDDEN)); /* used */
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_grant_lives_for_sixty_seconds(void **state)
{
	struct world w;
	struct av_id id;
	struct grants grants;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = remedied_case(&w);
	grants = grants_of(&w, ask_to_read(&w, "sara", id, "utredning", "r1"));
	w.h->now_ms += 60001;
	harness_want(open_with(&w, "sara", grants.workflow), REPLY(FORBIDDEN));
	world_close(&w);
}

static void who_may_read_follows_from_role_purpose_and_kind(void **state)
{
	struct world w;
	struct av_id id, deviation;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = remedied_case(&w);
	deviation = world_file(&w, world_deviation(&w));
	harness_want(ask_to_read(&w, "anna", id, "utredning", "a"),
		REPLY(FORBIDDEN)); /* the unit manager, invariant v */
	harness_want(ask_to_read(&w, "anna", deviation, "utredning", "b"), REPLY(DONE));
	harness_want(ask_to_read(&w, "bo", deviation, "utredning", "c"), REPLY(FORBIDDEN));
	harness_want(ask_to_read(&w, "sara", id, "nyfikenhet", "d"), REPLY(INVALID));
	w.cases.rights = AV_MAY_ACT | AV_MAY_QUERY;
	harness_want(ask_to_read(&w, "sara", id, "utredning", "e"), REPLY(FORBIDDEN));
	world_close(&w);
}

/* Whatever a rule pack says: invariant v. */
static void a_unit_manager_with_the_role_still_does_not_read_a_lex_sarah_case(void **state)
{
	struct world w;
	struct av_id id;
	Avvik__V1__RulePack *rules;

	(void)state;
	world_open_bare(&w, "2026-04-07 09:00");
	world_publish_directory(&w, NULL);
	rules = world_rules(&w);
	for (size_t i = 0; i < rules->n_acts; i++)
		if (strcmp(rules->acts[i]->act, "read_content") == 0 ||
			strcmp(rules->acts[i]->act, "record_entry") == 0)
			rules->acts[i]->roles[0] = TEXT("EC");
	rules->independent_investigator = false; /* a small municipality */
	world_publish_changed(&w, rules);
	id = remedied_case(&w);
	harness_want(ask_to_read(&w, "anna", id, "utredning", "a"), REPLY(FORBIDDEN));
	{
		Avvik__V1__AssessInitially assess = AVVIK__V1__ASSESS_INITIALLY__INIT;
		assess.preliminary_degree = DEGREE(RISK);
		assess.investigate = true;
		assess.motive = TEXT("skäl");
		assess.investigator = TEXT("anna");
		world_does(&w, "lena", &id, ACT(ASSESS_INITIALLY), &assess.base, NULL);
	}
	harness_want(
		ask_to_read(&w, "anna", id, "utredning", "b"), REPLY(DONE)); /* who investigates must read */
	world_close(&w);
}

static void what_is_erased_is_gone_and_the_chain_holds(void **state)
{
	Avvik__V1__EraseContent erase = AVVIK__V1__ERASE_CONTENT__INIT;
	ProtobufCBinaryData wrong[1];
	unsigned char unknown[16] = {5};
	struct world w;
	struct av_id id;
	struct grants grants, reading;
	Avvik__V1__Reply *reply;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = remedied_case(&w);
	erase.case_id = BINARY(id);
	erase.reason = TEXT("tycker så");
	harness_want(harness_order(w.h, &w.cases, "e0", "reg", COMMAND(ERASE_CONTENT), &erase.base),
		REPLY(INVALID));
	erase.reason = TEXT("gallring");
	harness_want(harness_order(w.h, &w.cases, "e1", "eva", COMMAND(ERASE_CONTENT), &erase.base),
		REPLY(FORBIDDEN));
	wrong[0] = (ProtobufCBinaryData){16, unknown};
	erase.content_ids = wrong;
	erase.n_content_ids = 1;
	harness_want(harness_order(w.h, &w.cases, "e2", "reg", COMMAND(ERASE_CONTENT), &erase.base),
		REPLY(INVALID));
	erase.n_content_ids = 0;
	grants =
		grants_of(&w, harness_order(w.h, &w.cases, "e3", "reg", COMMAND(ERASE_CONTENT), &erase.base));
	assert_int_equal(grants.intake_body->kind, AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE);
	assert_int_equal(grants.intake_body->items[0]->n_parts, 3); /* all of it, the address too */
	reply = open_with(&w, "reg", grants.workflow);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->content_erasure->n_content_ids, 1);
	assert_string_equal(harness_last(w.h, EVENT(CONTENT_ERASED))->content_erased->reason, "gallring");
	assert_true(harness_last(w.h, EVENT(CONTENT_ERASED))->content_erased->key_number > 0);
	harness_upkeep(w.h); /* the key is destroyed */
	reading = grants_of(&w, ask_to_read(&w, "sara", id, "utredning", "r1"));
	reply = open_with(&w, "sara", reading.workflow);
	harness_want(reply, REPLY(DONE));
	assert_true(reply->opened_content->items[0]->erased);
	assert_int_equal(reply->opened_content->items[0]->n_parts, 0);
	harness_check_replay(w.h);
	world_close(&w);
}

static void a_reporter_named_later_can_be_answered_by_notification_alone(void **state)
{
	Avvik__V1__NameReporter name = AVVIK__V1__NAME_REPORTER__INIT;
	Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;
	Avvik__V1__FeedItem item = AVVIK__V1__FEED_ITEM__INIT;
	Avvik__V1__Event *event;
	ProtobufCMessage *contact = NULL;
	struct av_txn *txn;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file_unnamed(&w, world_report(&w));
	reporter.name = TEXT("Någon Namnsson");
	reporter.mail = TEXT("nagon@example.org");
	name.reporter = &reporter;
	world_does(&w, "sara", &id, ACT(NAME_REPORTER), &name.base, NULL);
	event = harness_last(w.h, EVENT(REPORTER_NAMED));
	txn = harness_read(w.h);
	assert_int_equal(workflow_open_parts(w.h->keys, txn, event, w.h->arena, &item), AV_OK);
	av_txn_abort(&txn);
	assert_int_equal(item.n_parts, 1);
	assert_int_equal(
		av_message_load(&avvik__v1__contact__descriptor,
			av_bytes(item.parts[0]->body.data, item.parts[0]->body.len), w.h->arena, &contact),
		AV_OK);
	assert_string_equal(((Avvik__V1__Contact *)contact)->mail, "nagon@example.org");
	world_close(&w);
}

static bool holds(struct av_bytes bytes, const char *words)
{
	size_t size = strlen(words);
	for (size_t at = 0; at + size <= bytes.size; at++)
		if (memcmp((const char *)bytes.data + at, words, size) == 0)
			return true;
	return false;
}

/* Nothing that was written or said in confidence stands in the journal. */
static void the_journal_holds_no_text(void **state)
{
	Avvik__V1__NameReporter name = AVVIK__V1__NAME_REPORTER__INIT;
	Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;
	struct world w;
	struct av_id id;
	uint64_t head;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file_unnamed(&w, world_report(&w));
	reporter.name = TEXT("Hemlig Person");
	name.reporter = &reporter;
	world_does(&w, "sara", &id, ACT(NAME_REPORTER), &name.base, NULL);
	world_investigate(&w, &id);
	world_document(&w, &id);
	head = harness_head(w.h);
	for (uint64_t sequence = 1; sequence <= head; sequence++) {
		struct av_bytes packed =
			av_message_pack(&harness_at_sequence(w.h, sequence)->base, w.h->arena);
		static const char *const secrets[] = {"Hemlig", "behöver utredas", "det som hände", "samtal"};
		for (size_t i = 0; i < AV_COUNT(secrets); i++)
			if (holds(packed, secrets[i]))
				fail_msg("event %llu holds \"%s\"", (unsigned long long)sequence, secrets[i]);
	}
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_opens_the_texts_of_one_case_for_one_person_once),
		cmocka_unit_test(a_grant_lives_for_sixty_seconds),
		cmocka_unit_test(who_may_read_follows_from_role_purpose_and_kind),
		cmocka_unit_test(a_unit_manager_with_the_role_still_does_not_read_a_lex_sarah_case),
		cmocka_unit_test(what_is_erased_is_gone_and_the_chain_holds),
		cmocka_unit_test(a_reporter_named_later_can_be_answered_by_notification_alone),
		cmocka_unit_test(the_journal_holds_no_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
