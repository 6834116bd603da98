from irislib.cli import main

main()
