# The samples and fillings that the tests of wire share, then one program for each part.
add_library(wire_samples STATIC ${CMAKE_CURRENT_LIST_DIR}/wire_samples.c)
target_include_directories(wire_samples PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(wire_samples PUBLIC avvik_wire PkgConfig::cmocka PRIVATE avvik_flags)
foreach(part message scan text rules json yaml landed catalogue)
	av_test(wire_${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/wire_${part}.c LINKS wire_samples LABELS unit)
	target_compile_definitions(test_wire_${part} PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}")
endforeach()
