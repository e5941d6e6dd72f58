/* client_figures.c - the copy of a unit's figures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "base/macros.h"
#include "base/status.h"
#include "client/figures.h"

static Avvik__V1__FigureKey key(const char *period)
{
	Avvik__V1__FigureKey figure = AVVIK__V1__FIGURE_KEY__INIT;
	figure.unit = (char *)"north";
	figure.span = AVVIK__V1__SPAN__SPAN_MONTH;
	figure.period = (char *)(uintptr_t)period;
	return figure;
}

static void a_change_is_put_in_only_when_it_leads_from_the_copy_to_its_value(void **state)
{
	(void)state;
	struct figures figures = {NULL};
	Avvik__V1__FigureKey april = key("2026-04"), may = key("2026-05");
	Avvik__V1__FigureChange one = AVVIK__V1__FIGURE_CHANGE__INIT, two = AVVIK__V1__FIGURE_CHANGE__INIT;
	Avvik__V1__FigureChange *changes[] = {&one, &two};
	Avvik__V1__SummaryUpdate update = AVVIK__V1__SUMMARY_UPDATE__INIT;
	update.changes = changes;
	update.n_changes = 2;
	one.key = &april, one.change = 3, one.value = 3;
	two.key = &may, two.change = 1, two.value = 1;
	assert_int_equal(figures_apply(&figures, &update), AV_OK);
	assert_int_equal(figures_value(&figures, &april), 3);
	assert_int_equal(figures_value(&figures, &may), 1);
	one.change = 1, one.value = 4;
	two.change = 1, two.value = 7; /* 1 + 1 is not 7 */
	assert_int_equal(figures_apply(&figures, &update), AV_CONFLICT);
	assert_int_equal(figures_value(&figures, &april), 3); /* nothing of it */
	assert_int_equal(figures_value(&figures, &may), 1);
	two.key = &april, two.change = -2, two.value = 2; /* the same figure twice, one after the other */
	assert_int_equal(figures_apply(&figures, &update), AV_OK);
	assert_int_equal(figures_value(&figures, &april), 2);
	one.key = NULL;
	assert_true(figures_apply(&figures, &update) < 0);
	one.key = &april, one.change = INT64_MAX, one.value = INT64_MIN + 1; /* overflow */
	assert_int_equal(figures_apply(&figures, &update), AV_CONFLICT);
	figures_clear(&figures);
	assert_int_equal(figures_value(&figures, &april), 0);
}

static void a_difference_holds_each_figure_that_is_another_and_those_that_are_gone(void **state)
{
	(void)state;
	struct figures before = {NULL}, after = {NULL};
	Avvik__V1__FigureKey same = key("a"), other = key("b"), gone = key("c"), new = key("d"),
			     zero = key("e");
	figures_set(&before, &same, 1), figures_set(&after, &same, 1);
	figures_set(&before, &other, 5), figures_set(&after, &other, 2);
	figures_set(&before, &gone, 9), figures_set(&after, &new, 4);
	figures_set(&before, &zero, 0);
	Avvik__V1__SummaryUpdate *update;
	static const unsigned char epoch[16] = {7};
	assert_int_equal(figures_difference(&before, &after, &update), AV_OK);
	assert_int_equal(figures_stamp(&update, "north", epoch, 12, 11), AV_OK);
	assert_int_equal(update->n_changes, 3);
	for (size_t i = 0; i < update->n_changes; i++) {
		const Avvik__V1__FigureChange *change = update->changes[i];
		char period = change->key->period[0];
		assert_int_equal(change->value, period == 'b' ? 2 : period == 'c' ? 0 : 4);
		assert_int_equal(change->change, period == 'b' ? -3 : period == 'c' ? -9 : 4);
	}
	assert_string_equal(update->unit, "north");
	assert_int_equal(update->sequence, 12);
	assert_int_equal(update->previous_sequence, 11);
	assert_memory_equal(update->epoch_id.data, epoch, 16);
	avvik__v1__summary_update__free_unpacked(update, NULL);
	figures_clear(&before);
	figures_clear(&after);
}

static void a_key_that_is_too_long_is_refused(void **state)
{
	(void)state;
	struct figures figures = {NULL};
	char text[600];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	Avvik__V1__FigureKey figure = key(text);
	assert_int_equal(figures_set(&figures, &figure, 1), AV_INVALID);
	assert_int_equal(figures_set(&figures, NULL, 1), AV_INVALID);
	assert_int_equal(figures_value(&figures, &figure), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_put_in_only_when_it_leads_from_the_copy_to_its_value),
		cmocka_unit_test(a_difference_holds_each_figure_that_is_another_and_those_that_are_gone),
		cmocka_unit_test(a_key_that_is_too_long_is_refused),
	};
	return cmocka_run_group_tests_name("client_figures", tests, NULL, NULL);
}
