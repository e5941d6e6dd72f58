# Days, instants and periods as tests write them.
add_library(test_times STATIC ${CMAKE_CURRENT_LIST_DIR}/times.c)
target_include_directories(test_times PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(test_times PUBLIC avvik_base PkgConfig::cmocka PRIVATE avvik_flags)
foreach(part memory ids clock date calendar period period_laws period_stops)
	av_test(base_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/base_${part}.c LINKS test_times avvik_base LABELS unit)
endforeach()
