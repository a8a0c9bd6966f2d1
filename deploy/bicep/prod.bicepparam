// The stage for listeners. It has no address on the internet.
using 'main.bicep'

param stage = 'prod'
param imageTag = readEnvironmentVariable('IMAGE_TAG', '')
param administratorsName = readEnvironmentVariable('ADMINISTRATORS_NAME')
param administratorsId = readEnvironmentVariable('ADMINISTRATORS_ID')
param signInClientId = readEnvironmentVariable('SIGN_IN_CLIENT_ID')
param secrets = {
  'signing-key': readEnvironmentVariable('MFCC_SECRET_SIGNING_KEY', '')
  'dagster-ui-client-secret': readEnvironmentVariable('SIGN_IN_CLIENT_SECRET', '')
  'web-password': readEnvironmentVariable('MFCC_SECRET_WEB_PASSWORD', '')
  // Add this for recognisers = 'library,audd,tags':
  // 'audd-token': readEnvironmentVariable('MFCC_SECRET_AUDD_TOKEN', '')
}
param retentionDays = 30
param runCores = '4.0'
