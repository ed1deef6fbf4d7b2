"""What draws and tells: widgets are given data, report by messages, and know no screen."""
