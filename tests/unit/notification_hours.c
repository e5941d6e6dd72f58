/* notification_hours.c - when it is sent: quiet hours, what breaks through them, the schedule of attempts. */
#include "notification_town.h"

static void a_statutory_rung_breaks_through_the_quiet_hours_and_a_local_target_does_not(void **state)
{
	(void)state;
	Avvik__V1__QuietHours quiet = AVVIK__V1__QUIET_HOURS__INIT;
	Avvik__V1__RungFired fired = AVVIK__V1__RUNG_FIRED__INIT;
	Avvik__V1__Event event = event_of(EVENT(RUNG_FIRED), &fired);
	Avvik__V1__CaseKnown after = known(LEX_SARAH, STATE(INVESTIGATION), "solen");
	struct notice_decision *decisions;
	size_t count;
	bool matched;

	quiet.from_minute = 19 * 60;
	quiet.to_minute = 7 * 60;
	pack.quiet_hours = &quiet;
	Avvik__V1__NoticeRule *r = rule("N1", "RungFired", "EC", KIND(TASK));
	struct notice_question q = question(&event, &after, &after);
	q.now_ms = av_local_instant(20550, 22 * 3600000);

	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_int_equal(decisions[0].kind, KIND(TASK));
	assert_true(decisions[0].not_before_ms == av_local_instant(20551, 7 * 3600000));
	fired.statutory = true;
	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_int_equal(decisions[0].kind, KIND(STATUTORY));
	assert_true(decisions[0].not_before_ms == q.now_ms);
	fired.statutory = false;
	r->kind = KIND(STATUTORY);
	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_int_equal(decisions[0].kind, KIND(TASK));
	fired.late = fired.statutory = true;
	assert_int_equal(notices_decide(&q, arena, &decisions, &count, &matched), AV_OK);
	assert_true(decisions[0].not_before_ms == q.now_ms + NOTICE_GATHER_MS);
}

static void quiet_hours_end_the_next_morning_on_every_day_of_a_year(void **state)
{
	(void)state;
	Avvik__V1__QuietHours quiet = AVVIK__V1__QUIET_HOURS__INIT;
	const int hour = 3600000;

	assert_true(notice_after_quiet(NULL, 17) == 17);
	assert_true(notice_after_quiet(&quiet, 17) == 17);
	for (av_day day = 20454; day < 20454 + 366; day++) {
		quiet.from_minute = 19 * 60, quiet.to_minute = 7 * 60;
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 12 * hour)) ==
			    av_local_instant(day, 12 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 19 * hour)) ==
			    av_local_instant(day + 1, 7 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 23 * hour)) ==
			    av_local_instant(day + 1, 7 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, hour / 2)) ==
			    av_local_instant(day, 7 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 7 * hour)) ==
			    av_local_instant(day, 7 * hour));
		quiet.from_minute = 12 * 60, quiet.to_minute = 13 * 60;
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 12 * hour)) ==
			    av_local_instant(day, 13 * hour));
		assert_true(notice_after_quiet(&quiet, av_local_instant(day, 14 * hour)) ==
			    av_local_instant(day, 14 * hour));
	}
}

static void attempts_grow_apart_and_last_about_a_day(void **state)
{
	(void)state;
	int64_t all = 0, before = 0;
	unsigned int attempts = 1;

	for (; notice_retry_ms(attempts) >= 0; attempts++) {
		int64_t wait = notice_retry_ms(attempts);
		if (wait < before)
			fail_msg("attempt %u waits %lld ms, less than the one before", attempts,
				(long long)wait);
		all += wait;
		before = wait;
	}
	assert_true(notice_retry_ms(1) <= 60000);
	assert_in_range((uint64_t)all / 3600000, 22, 26);
	assert_int_equal(attempts, 12);
	assert_true(notice_retry_ms(1000000) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		town_test(a_statutory_rung_breaks_through_the_quiet_hours_and_a_local_target_does_not),
		town_test(quiet_hours_end_the_next_morning_on_every_day_of_a_year),
		town_test(attempts_grow_apart_and_last_about_a_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
