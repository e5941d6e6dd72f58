av_test(samples SOURCES ${CMAKE_CURRENT_LIST_DIR}/samples.c LINKS intake_rules LABELS unit)
target_compile_definitions(test_samples PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
