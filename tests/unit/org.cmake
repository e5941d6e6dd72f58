av_test(org SOURCES ${CMAKE_CURRENT_LIST_DIR}/org.c LINKS test_times avvik_org avvik_wire LABELS unit)
target_compile_definitions(test_org PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
