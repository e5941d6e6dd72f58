# Producers that come back with another past.
av_test(turn_histories SOURCES ${CMAKE_CURRENT_LIST_DIR}/turn_histories.c LINKS turn_world LABELS component)
