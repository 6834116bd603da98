from irislib.warm.template import main

main()
