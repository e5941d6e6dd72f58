# The shared ground of the store's tests (a folder of their own, opening, statuses by name), then one program for each part.
add_library(store_support STATIC ${CMAKE_CURRENT_LIST_DIR}/store_support.c)
target_include_directories(store_support PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(store_support PUBLIC avvik_store PkgConfig::cmocka PRIVATE avvik_flags)
foreach(part seal_crypto seal_merkle seal_receipt store_table store_journal store_open store_crash store_keys store_content store_pages)
	av_test(${part} SOURCES ${CMAKE_CURRENT_LIST_DIR}/${part}.c LINKS store_support LABELS unit)
endforeach()
