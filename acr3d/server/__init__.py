"""How connections are served: waitress's event loop in gunicorn's worker, with deadlines for slow clients."""

# In a request's environ when only its head has come and the app is asked whether it takes the body: it
# answers "100 Continue", or refuses as it would with the body.
BODY_FOLLOWS = "acr3d.body_follows"
